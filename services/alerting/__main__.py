"""Start the alerting service or its verb: `python -m services.alerting [backtest]`."""

import asyncio
import sys
from collections.abc import Sequence

import uvloop

from services.alerting.app import backtest, run
from services.alerting.jobs.backtest import Order, check_targets
from services.alerting.jobs.command import parse_words, say, show_progress
from services.alerting.jobs.report import to_json, to_text
from services.alerting.settings import AlertingSettings, BacktestSettings
from shared.catalogue.load import load_catalogue, load_targets
from shared.errors import CatalogueError, FatalError, SettingsError
from shared.log import configure_logging
from shared.runtime import run_service
from shared.settings import load_settings, settings_from_command_line

ABOUT = "uptake alerting: judges targets against totals and tells Alertmanager"
EXIT_FAILED = 1
BAD_SETTINGS = 2
EXIT_INTERRUPTED = 130


def main() -> int:
    """Run the service until told to stop, or the verb that is the first word.

    Returns:
        Exit status: 0 graceful, 1 fatal error or bug, 2 bad settings or catalogue.
    """
    if sys.argv[1:2] == ["backtest"]:
        return run_verb(sys.argv[2:])
    settings = settings_from_command_line(AlertingSettings, ABOUT)
    configure_logging("alerting", settings.log_level)
    try:
        catalogue = load_catalogue(settings.catalogue)
    except CatalogueError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SETTINGS

    async def serve_until(stop: asyncio.Event) -> None:
        await run(settings, catalogue, stop)

    return run_service(serve_until)


def run_verb(words: Sequence[str]) -> int:
    """Run the backtest for whoever waits; what goes wrong is a line."""
    try:
        run_backtest(words)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SETTINGS
    except CatalogueError as error:
        sys.stderr.writelines(f"uptake: {line}\n" for line in error.problems)
        return EXIT_FAILED
    except FatalError as error:
        sys.stderr.write(f"uptake: {error}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def run_backtest(arguments: Sequence[str]) -> None:
    """Replay history for the targets of a file, and show what came of it."""
    words = parse_words(arguments)
    settings = load_settings(BacktestSettings)
    catalogue = load_catalogue(settings.catalogue)
    targets = check_targets(load_targets(words.file, catalogue))
    order = Order(targets, words.first, words.last, words.every)
    with show_progress(on_terminal=sys.stderr.isatty()) as on_step:
        outcome = uvloop.run(backtest(settings, catalogue, order, on_step))
    if words.as_json:
        say(to_json(order, outcome))
    else:
        say(to_text(order, outcome, catalogue.timezone, whole=words.whole))


if __name__ == "__main__":
    sys.exit(main())
