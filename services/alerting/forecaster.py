"""Forecasts targets once for each complete day, a slice at a time."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from services.alerting.store import ForecastStore
from shared.alerting_metrics import AlertingMetrics
from shared.backoff import wait_out

SLICE_TARGETS: Final = 100
PAUSE_SECONDS: Final = 0.05
"""Between two slices, so that evaluations have the processor and their turn."""
POLL_SECONDS: Final = 5.0

_log = logging.getLogger(__name__)


class Forecaster:
    """Asks the store for what is due, again and again.

    When a forecast is due stands in Postgres, so that any number of replicas share
    the work, and one that was killed leaves the rest of the day's to the others.
    """

    def __init__(
        self,
        store: ForecastStore,
        metrics: AlertingMetrics,
        *,
        on_outage: Callable[[str | None], None],
    ) -> None:
        """Take what is needed.

        Args:
            store: Does the forecasts.
            metrics: Told how long they take.
            on_outage: Told why they have to wait, and None once they need not.
        """
        self._store = store
        self._metrics = metrics
        self._on_outage = on_outage

    async def run(self) -> None:
        """Forecast until cancelled."""
        while True:
            is_full = await self._forecast() == SLICE_TARGETS
            # A day begins by the clock alone; between slices the rest has its turn.
            await asyncio.sleep(PAUSE_SECONDS if is_full else POLL_SECONDS)

    async def _forecast(self) -> int:
        started = time.monotonic()
        count = await wait_out(
            "forecast_targets",
            lambda: self._store.forecast_due(SLICE_TARGETS),
            on_outage=self._on_outage,
        )
        if count:
            duration = time.monotonic() - started
            self._metrics.forecast_duration.observe(duration)
            _log.info(
                "targets_forecast",
                extra={"targets": count, "duration_seconds": round(duration, 4)},
            )
        return count
