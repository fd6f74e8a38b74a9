"""Start the alerting service or one of its verbs: `python -m services.alerting`."""

import argparse
import asyncio
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Final

import uvloop

from services.alerting.app import backtest, run
from services.alerting.core.shipped_texts import SHIPPED_SOURCE
from services.alerting.endpoints import load_endpoints
from services.alerting.jobs.backtest import Order, check_targets
from services.alerting.jobs.command import parse_words, say, show_progress
from services.alerting.jobs.explain import as_json, as_text, explain_target
from services.alerting.jobs.report import to_json, to_text
from services.alerting.settings import (
    AlertingSettings,
    BacktestSettings,
    ExplainSettings,
)
from services.alerting.texts_file import write_texts
from shared.catalogue.load import load_catalogue, load_targets
from shared.errors import CatalogueError, SettingsError, UptakeError
from shared.log import configure_logging
from shared.runtime import run_service
from shared.settings import describe_settings, load_settings, settings_from_command_line

ABOUT = (
    "uptake alerting: judges targets against totals and tells Alertmanager\n\n"
    "  uptake alerting texts   print the texts of alerts, to be changed"
)
ABOUT_EXPLAIN = (
    "Explain why a target's status is what it is: every step of the arithmetic, with "
    "exact figures and where they come from, as the next look would judge it. "
    "UPTAKE_AT_RISK_* are to be those of the service. Exit status: 0 done, 1 with a "
    "reason, 2 bad settings."
)
FAILED = 1
Verb = Callable[[Sequence[str]], int]
BAD_SETTINGS = 2
EXIT_INTERRUPTED = 130


def main() -> int:
    """Run the service until told to stop, or the verb that is the first word.

    Returns:
        Exit status: 0 graceful, 1 fatal error or bug, 2 bad settings or catalogue.
    """
    verb = VERBS.get(sys.argv[1]) if sys.argv[1:] else None
    if verb is not None:
        return verb(sys.argv[2:])
    settings = settings_from_command_line(AlertingSettings, ABOUT)
    configure_logging("alerting", settings.log_level)
    try:
        catalogue = load_catalogue(settings.catalogue)
        endpoints = load_endpoints(settings.webhooks) if settings.webhooks else ()
    except CatalogueError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SETTINGS

    async def serve_until(stop: asyncio.Event) -> None:
        await run(settings, catalogue, endpoints, stop)

    return run_service(serve_until)


def print_texts(_words: Sequence[str]) -> int:
    """Print the shipped texts, as the file that UPTAKE_ALERT_TEXTS can name."""
    sys.stdout.write(write_texts(SHIPPED_SOURCE))
    return 0


def _told_in_a_line(verb: Callable[[Sequence[str]], None]) -> Verb:
    """Run a verb for whoever waits; what goes wrong is a line and an exit status."""

    def run_verb(words: Sequence[str]) -> int:
        try:
            verb(words)
        except SettingsError as error:
            sys.stderr.write(f"{error}\n")
            return BAD_SETTINGS
        except CatalogueError as error:
            sys.stderr.writelines(f"uptake: {line}\n" for line in error.problems)
            return FAILED
        except UptakeError as error:
            sys.stderr.write(f"uptake: {error}\n")
            return FAILED
        except KeyboardInterrupt:
            return EXIT_INTERRUPTED
        return 0

    return run_verb


def print_explanation(words: Sequence[str]) -> None:
    """Print why a target's status is what it is."""
    parser = argparse.ArgumentParser(
        "uptake targets explain",
        description=textwrap.fill(ABOUT_EXPLAIN, 80),
        epilog="settings (environment only):\n" + describe_settings(ExplainSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("target", metavar="ID", help="the target")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(words)
    said = uvloop.run(explain_target(load_settings(ExplainSettings), options.target))
    sys.stdout.write(as_json(said) if options.json else as_text(said))


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


VERBS: Final[dict[str, Verb]] = {
    "backtest": _told_in_a_line(run_backtest),
    "explain": _told_in_a_line(print_explanation),
    "texts": print_texts,
}


if __name__ == "__main__":
    sys.exit(main())
