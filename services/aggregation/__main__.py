"""Start the aggregation service: settings, app, exit status."""

import sys

from services.aggregation.app import run
from services.aggregation.settings import AggregationSettings
from shared.log import configure_logging
from shared.runtime import run_service
from shared.settings import settings_from_command_line

ABOUT = "uptake aggregation: the log becomes a ledger and totals, counted once."


def main() -> int:
    """Run the service and return its exit status."""
    settings = settings_from_command_line(AggregationSettings, ABOUT)
    configure_logging("aggregation", settings.log_level)
    return run_service(lambda stop: run(settings, stop))


if __name__ == "__main__":
    sys.exit(main())
