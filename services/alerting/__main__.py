"""Start the alerting service or one of its verbs: `python -m services.alerting`."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Final

from services.alerting.app import run
from services.alerting.core.shipped_texts import SHIPPED_SOURCE
from services.alerting.settings import AlertingSettings
from services.alerting.texts_file import write_texts
from shared.catalogue.load import load_catalogue
from shared.errors import CatalogueError
from shared.log import configure_logging
from shared.runtime import run_service
from shared.settings import settings_from_command_line

ABOUT = (
    "uptake alerting: judges targets against totals and tells Alertmanager\n\n"
    "  uptake alerting texts   print the texts of alerts, to be changed"
)
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
    except CatalogueError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_SETTINGS

    async def serve_until(stop: asyncio.Event) -> None:
        await run(settings, catalogue, stop)

    return run_service(serve_until)


def print_texts(_words: Sequence[str]) -> int:
    """Print the shipped texts, as the file that UPTAKE_ALERT_TEXTS can name."""
    sys.stdout.write(write_texts(SHIPPED_SOURCE))
    return 0


VERBS: Final[dict[str, Callable[[Sequence[str]], int]]] = {"texts": print_texts}


if __name__ == "__main__":
    sys.exit(main())
