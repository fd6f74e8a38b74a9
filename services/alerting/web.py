"""The service's doors: probes and metrics."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.alerting.core.status import FULL_BP, Status
from services.alerting.store import AlertStore, Gauge
from shared.alerting_metrics import AlertingMetrics
from shared.backoff import wait_out
from shared.http import Readiness, make_application, probe_routes

REFRESH_SECONDS: Final = 5.0


def make_app(readiness: Readiness, registry: CollectorRegistry) -> Starlette:
    """Build the HTTP application."""
    return make_application(probe_routes(readiness, registry))


class GaugeRefresh:
    """Shows in metrics what Postgres says, so that every replica shows the same."""

    def __init__(
        self,
        store: AlertStore,
        metrics: AlertingMetrics,
        *,
        levels: Sequence[str],
        on_outage: Callable[[str | None], None],
    ) -> None:
        """Take what is needed.

        Args:
            store: Knows where targets stand.
            metrics: Shown to Prometheus.
            levels: Localities whose targets are shown: the label set stays bounded.
            on_outage: Told of Postgres's outages.
        """
        self._store = store
        self._metrics = metrics
        self._levels = levels
        self._on_outage = on_outage

    async def run(self) -> None:
        """Refresh until cancelled."""
        while True:
            gauges = await wait_out(
                "read_gauges",
                lambda: self._store.gauges(self._levels),
                on_outage=self._on_outage,
            )
            firing = await wait_out(
                "count_firing", self._store.firing_by_kind, on_outage=self._on_outage
            )
            silent = await wait_out(
                "count_silent", self._store.silent_by_agency, on_outage=self._on_outage
            )
            self._show(gauges)
            # An agency that left the catalogue disappears with its label.
            self._metrics.silent.clear()
            for agency, indicators in silent.items():
                self._metrics.silent.labels(agency).set(indicators)
            for kind, count in firing.items():
                self._metrics.firing.labels(kind.value).set(count)
            await asyncio.sleep(REFRESH_SECONDS)

    def _show(self, gauges: Sequence[Gauge]) -> None:
        metrics = self._metrics
        for gauge in (
            metrics.expected,
            metrics.position,
            metrics.pace,
            metrics.miss,
            metrics.status,
        ):
            # Whatever is no longer true disappears with its labels.
            gauge.clear()
        for row in gauges:
            metrics.expected.labels(row.target).set(row.expected)
            if row.position_bp is not None:
                metrics.position.labels(row.target).set(row.position_bp / FULL_BP)
            if row.miss_bp is not None:
                metrics.miss.labels(row.target).set(row.miss_bp / FULL_BP)
            for window, pace_bp in (("7d", row.pace_7_bp), ("28d", row.pace_28_bp)):
                if pace_bp is not None:
                    metrics.pace.labels(row.target, window).set(pace_bp / FULL_BP)
            for status in Status:
                is_it = row.status is status
                metrics.status.labels(row.target, status.value).set(int(is_it))
