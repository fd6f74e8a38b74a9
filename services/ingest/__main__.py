"""Start the ingest service: settings, app, exit status."""

import sys

from services.ingest.app import run
from services.ingest.settings import IngestSettings
from shared.log import configure_logging
from shared.runtime import run_service
from shared.settings import settings_from_command_line

ABOUT = "uptake ingest: takes events over HTTP; acknowledged means durable."


def main() -> int:
    """Run the service and return its exit status."""
    settings = settings_from_command_line(IngestSettings, ABOUT)
    configure_logging("ingest", settings.log_level)
    return run_service(lambda stop: run(settings, stop))


if __name__ == "__main__":
    sys.exit(main())
