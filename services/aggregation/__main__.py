"""Start the aggregation service or its rebuild: settings, work, exit status."""

import argparse
import gc
import logging
import sys
import textwrap
from collections.abc import Sequence
from typing import Final

import uvloop

from services.aggregation.app import rebuild, run
from services.aggregation.jobs.display import say_outcome, show_rebuild
from services.aggregation.jobs.rebuild import Order
from services.aggregation.settings import AggregationSettings, RebuildSettings
from shared.errors import FatalError, SettingsError
from shared.log import configure_logging
from shared.runtime import run_service
from shared.settings import describe_settings, load_settings, settings_from_command_line

GARBAGE_THRESHOLD = 100_000
ABOUT = "uptake aggregation: the log becomes a ledger and totals, counted once."
ABOUT_REBUILD: Final = (
    "Rebuild ledger and totals from the whole log. What there is serves until the new "
    "is complete, and running services go on. It may be stopped at any time; the next "
    "run goes on from there. Exit status: 0 done, 1 with a reason, or with what "
    "differs under --verify, 2 bad settings, 130 interrupted."
)
EXIT_DIFFERS: Final = 1
EXIT_FAILED: Final = 1
EXIT_BAD_SETTINGS: Final = 2
EXIT_INTERRUPTED: Final = 130


def main() -> int:
    """Run the service, or the rebuild if that is the first word; return the status."""
    # A batch makes tens of thousands of objects that all die together; looking for
    # cycles among them every 700 costs a tenth of the time and finds none.
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    if sys.argv[1:2] == ["rebuild"]:
        return run_rebuild(sys.argv[2:])
    settings = settings_from_command_line(AggregationSettings, ABOUT)
    configure_logging("aggregation", settings.log_level)
    return run_service(lambda stop: run(settings, stop))


def run_rebuild(arguments: Sequence[str]) -> int:
    """Rebuild for the operator who waits; what goes wrong is a line."""
    order = parse_order(arguments)
    on_terminal = sys.stderr.isatty()
    try:
        settings = load_settings(RebuildSettings)
        if on_terminal:
            # The bar says it; log lines would tear it apart.
            logging.getLogger().addHandler(logging.NullHandler())
        else:
            configure_logging("rebuild", settings.log_level)
        with show_rebuild(on_terminal=on_terminal) as display:
            outcome = uvloop.run(rebuild(settings, order, display))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_SETTINGS
    except FatalError as error:
        sys.stderr.write(f"uptake: {error}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    say_outcome(outcome, on_terminal=on_terminal)
    return EXIT_DIFFERS if order.is_trial and outcome.comparison.differing else 0


def parse_order(arguments: Sequence[str]) -> Order:
    """Read the command line; ends the process where it makes no sense."""
    parser = argparse.ArgumentParser(
        "uptake rebuild",
        description=textwrap.fill(ABOUT_REBUILD, 80),
        epilog="settings (environment only):\n" + describe_settings(RebuildSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--verify",
        "--dry-run",
        action="store_true",
        help="compare only: print rows that differ, and let what serves stay",
    )
    parser.add_argument(
        "--afresh",
        action="store_true",
        help="begin at offset 0 even if an earlier run can be gone on with",
    )
    options = parser.parse_args(arguments)
    return Order(is_trial=options.verify, afresh=options.afresh)


if __name__ == "__main__":
    sys.exit(main())
