"""Start the aggregation service or one of its verbs: settings, work, exit status."""

import argparse
import gc
import logging
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Final

import uvloop

from services.aggregation.app import rebuild, republish, run
from services.aggregation.jobs.display import (
    say_outcome,
    say_published,
    show_rebuild,
    show_republication,
)
from services.aggregation.jobs.rebuild import Order
from services.aggregation.settings import (
    AggregationSettings,
    RebuildSettings,
    VerbSettings,
)
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
ABOUT_REPUBLISH: Final = (
    "Publish all totals to uptake.totals once more, after that topic was made anew or "
    "has lost messages. Running aggregations do it, at their own pace; this waits "
    "until it is done. It may be stopped and repeated at any time. Exit status: "
    "0 done, 1 with a reason, 2 bad settings, 130 interrupted."
)
EXIT_DIFFERS: Final = 1
EXIT_FAILED: Final = 1
EXIT_BAD_SETTINGS: Final = 2
EXIT_INTERRUPTED: Final = 130


def main() -> int:
    """Run the service, or the verb that is the first word; return the exit status."""
    # A batch makes tens of thousands of objects that all die together; looking for
    # cycles among them every 700 costs a tenth of the time and finds none.
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    verb = VERBS.get(sys.argv[1]) if sys.argv[1:] else None
    if verb is not None:
        return run_verb(verb, sys.argv[2:])
    settings = settings_from_command_line(AggregationSettings, ABOUT)
    configure_logging("aggregation", settings.log_level)
    return run_service(lambda stop: run(settings, stop))


def run_verb(verb: Callable[[Sequence[str], bool], int], words: Sequence[str]) -> int:
    """Run a verb for the operator who waits; what goes wrong is a line."""
    try:
        return verb(words, sys.stderr.isatty())
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_SETTINGS
    except FatalError as error:
        sys.stderr.write(f"uptake: {error}\n")
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def run_rebuild(words: Sequence[str], on_terminal: bool) -> int:  # noqa: FBT001 -- called by place, as every verb
    """Rebuild; return the exit status."""
    order = parse_order(words)
    settings = load_settings(RebuildSettings)
    _say_where("rebuild", settings, on_terminal=on_terminal)
    with show_rebuild(on_terminal=on_terminal) as display:
        outcome = uvloop.run(rebuild(settings, order, display))
    say_outcome(outcome, on_terminal=on_terminal)
    return EXIT_DIFFERS if order.is_trial and outcome.comparison.differing else 0


def run_republish(words: Sequence[str], on_terminal: bool) -> int:  # noqa: FBT001 -- called by place, as every verb
    """Publish all totals again; return the exit status."""
    _parser("republish", ABOUT_REPUBLISH, VerbSettings).parse_args(words)
    settings = load_settings(VerbSettings)
    _say_where("republish", settings, on_terminal=on_terminal)
    with show_republication(on_terminal=on_terminal) as display:
        totals = uvloop.run(republish(settings, display))
    say_published(totals, on_terminal=on_terminal)
    return 0


VERBS: Final = {"rebuild": run_rebuild, "republish": run_republish}


def _say_where(verb: str, settings: VerbSettings, *, on_terminal: bool) -> None:
    if on_terminal:
        # The bar says it; log lines would tear it apart.
        logging.getLogger().addHandler(logging.NullHandler())
    else:
        configure_logging(verb, settings.log_level)


def _parser(
    verb: str, about: str, settings: type[VerbSettings]
) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        f"uptake {verb}",
        description=textwrap.fill(about, 80),
        epilog="settings (environment only):\n" + describe_settings(settings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def parse_order(arguments: Sequence[str]) -> Order:
    """Read the command line; ends the process where it makes no sense."""
    parser = _parser("rebuild", ABOUT_REBUILD, RebuildSettings)
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
