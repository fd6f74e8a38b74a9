"""Start the alerting service or one of its verbs: `python -m services.alerting`."""

import argparse
import asyncio
import sys
import textwrap
from collections.abc import Callable, Sequence
from typing import Final

from services.alerting.app import run
from services.alerting.core.shipped_texts import SHIPPED_SOURCE
from services.alerting.endpoints import load_endpoints
from services.alerting.jobs.explain import as_json, as_text, explain_target
from services.alerting.settings import AlertingSettings, ExplainSettings
from services.alerting.texts_file import write_texts
from shared.catalogue.load import load_catalogue
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
BAD_SETTINGS = 2


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


def print_explanation(words: Sequence[str]) -> int:
    """Print why a target's status is what it is; return the exit status."""
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
    try:
        settings = load_settings(ExplainSettings)
        said = asyncio.run(explain_target(settings, options.target))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SETTINGS
    except UptakeError as error:
        sys.stderr.write(f"uptake: {error}\n")
        return FAILED
    sys.stdout.write(as_json(said) if options.json else as_text(said))
    return 0


VERBS: Final[dict[str, Callable[[Sequence[str]], int]]] = {
    "explain": print_explanation,
    "texts": print_texts,
}


if __name__ == "__main__":
    sys.exit(main())
