"""Aggregation's doors: probes, metrics, and levels kept fresh for the metrics."""

import asyncio

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from services.aggregation.store.views import ViewStore
from shared.backoff import wait_out
from shared.http import Readiness, make_application, probe_routes
from shared.metrics import AggregationMetrics


def make_app(readiness: Readiness, registry: CollectorRegistry) -> Starlette:
    """Build the service's HTTP application."""
    return make_application(probe_routes(readiness, registry))


async def refresh_levels(
    store: ViewStore,
    metrics: AggregationMetrics,
    readiness: Readiness,
    *,
    interval_seconds: float,
) -> None:
    """Read the levels for the metrics now and then, until cancelled."""
    on_outage = readiness.for_part("levels")
    while True:
        for indicator, locality, level in await wait_out(
            "read_levels", store.levels, on_outage=on_outage
        ):
            metrics.running_total.labels(indicator, locality).set(level)
        for agency, logged_at in await wait_out(
            "read_last_reports", store.last_reports, on_outage=on_outage
        ):
            metrics.agency_last_event.labels(agency).set(logged_at.timestamp())
        await asyncio.sleep(interval_seconds)
