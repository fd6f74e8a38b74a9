"""Start the aggregation service: settings, app, exit status."""

import gc
import sys

from services.aggregation.app import run
from services.aggregation.settings import AggregationSettings
from shared.log import configure_logging
from shared.runtime import run_service
from shared.settings import settings_from_command_line

GARBAGE_THRESHOLD = 100_000
ABOUT = "uptake aggregation: the log becomes a ledger and totals, counted once."


def main() -> int:
    """Run the service and return its exit status."""
    settings = settings_from_command_line(AggregationSettings, ABOUT)
    configure_logging("aggregation", settings.log_level)
    # A batch makes tens of thousands of objects that all die together; looking for
    # cycles among them every 700 costs a tenth of the time and finds none.
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)
    return run_service(lambda stop: run(settings, stop))


if __name__ == "__main__":
    sys.exit(main())
