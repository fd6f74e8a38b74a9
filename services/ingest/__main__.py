"""Start the ingest service or one of its long verbs: settings, work, exit status."""

import asyncio
import gc
import logging
import sys
from collections.abc import Sequence

from services.ingest.app import run
from services.ingest.jobs.checking import VERB as CHECK
from services.ingest.jobs.checking import run_check
from services.ingest.jobs.settling import VERBS, SettlingJob, parse_order
from services.ingest.settings import IngestSettings
from shared.clock import SystemClock
from shared.errors import FatalError, SettingsError
from shared.log import configure_logging
from shared.runtime import run_service
from shared.settings import KafkaSettings, load_settings, settings_from_command_line

ABOUT = "uptake ingest: takes events over HTTP; acknowledged means durable."
GARBAGE_THRESHOLD = 20_000
EXIT_BAD_SETTINGS = 2
EXIT_INTERRUPTED = 130


def main() -> int:
    """Run the service, or the verb that is the first word; return the exit status."""
    if sys.argv[1:2] and sys.argv[1] in (*VERBS, CHECK):
        return run_verb(sys.argv[1:])
    # A hundred open requests are some thousand objects that live for milliseconds;
    # looking for cycles among them every 700 costs a quarter of the time of a single
    # event, and finds none.
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    settings = settings_from_command_line(IngestSettings, ABOUT)
    configure_logging("ingest", settings.log_level)
    return run_service(lambda stop: run(settings, stop))


def run_verb(arguments: Sequence[str]) -> int:
    """Do one verb for the one who waits; errors are lines."""
    # What goes wrong is said once, by us; libraries would say it in their words.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        if arguments[0] == CHECK:
            return run_check(arguments[1:], SystemClock().now())
        order = parse_order(arguments)
        settings = load_settings(KafkaSettings)
        return asyncio.run(SettlingJob(settings, order, SystemClock()).run())
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_SETTINGS
    except FatalError as error:
        sys.stderr.write(f"uptake: {error}\n")
        return 1
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
