"""Start the alerting service: `python -m services.alerting`."""

import asyncio
import sys

from services.alerting.app import run
from services.alerting.endpoints import load_endpoints
from services.alerting.settings import AlertingSettings
from shared.catalogue.load import load_catalogue
from shared.errors import CatalogueError
from shared.log import configure_logging
from shared.runtime import run_service
from shared.settings import settings_from_command_line

ABOUT = "uptake alerting: judges targets against totals and tells Alertmanager"
BAD_SETTINGS = 2


def main() -> int:
    """Run until told to stop.

    Returns:
        Exit status: 0 graceful, 1 fatal error or bug, 2 bad settings or catalogue.
    """
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


if __name__ == "__main__":
    sys.exit(main())
