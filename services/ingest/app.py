"""Composition root: the only builder of clients and tasks."""

import asyncio
import logging

from prometheus_client import CollectorRegistry

from services.ingest.guard.guard import Guard
from services.ingest.publisher import LogPublisher
from services.ingest.settings import IngestSettings
from services.ingest.submissions.reader import SubmissionReader
from services.ingest.web import EventsDoor, make_app
from shared.backoff import wait_out
from shared.catalogue.load import load_catalogue
from shared.catalogue.watch import AgencyWatch
from shared.clock import Clock, SystemClock
from shared.http import Readiness, Server, make_server, serve
from shared.http_drain import Drain
from shared.kafka.topic_setup import check_topics
from shared.metrics import (
    AgencyMetrics,
    HttpMetrics,
    IngestMetrics,
    SubmissionMetrics,
    new_registry,
)

_log = logging.getLogger(__name__)


async def run(settings: IngestSettings, stop: asyncio.Event) -> None:
    """Run the service until `stop` is set.

    Raises:
        FatalError: Inside an exception group; the service must not go on.
    """
    registry = new_registry()
    readiness = Readiness()
    readiness.set("kafka", "connecting")
    publisher = LogPublisher(settings, ack_timeout_seconds=settings.ack_timeout_seconds)
    clock, metrics = SystemClock(), IngestMetrics(registry)
    guard = _make_guard(settings, clock, metrics, AgencyMetrics(registry))
    door = EventsDoor(
        settings,
        guard,
        publisher,
        clock,
        metrics=metrics,
        http_metrics=HttpMetrics(registry),
    )
    submissions = SubmissionReader(
        settings,
        lambda: guard.catalogue,
        publisher,
        rates=guard.rates,
        metrics=metrics,
        submission_metrics=SubmissionMetrics(registry),
    )
    drain = Drain(make_app(door, readiness, registry))
    server = _make_server(settings, drain, registry)

    async def connect() -> None:
        on_outage = readiness.for_part("kafka")
        await wait_out(
            "check_topics", lambda: check_topics(settings), on_outage=on_outage
        )
        await wait_out("start_producer", publisher.start, on_outage=on_outage)
        readiness.set("kafka", None)
        _log.info("ready", extra={"port": settings.http_port})
        await submissions.run()

    try:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(serve(server))
            connecting = group.create_task(connect())
            guarding = group.create_task(guard.run())
            await stop.wait()
            _log.info("stopping")
            readiness.set("service", "stopping")
            connecting.cancel()
            guarding.cancel()
            # A stream ends with the line that is durable. Open requests get their
            # answer before the producer goes away, and new ones are told to come
            # again.
            door.stop()
            await drain.empty()
            server.stop()
            await serving
    finally:
        await publisher.stop()


def _make_server(
    settings: IngestSettings, drain: Drain, registry: CollectorRegistry
) -> Server:
    """Build the server, at the address that is set."""
    return make_server(
        drain,
        registry,
        host=settings.http_host,
        port=settings.http_port,
        trusted_proxies=settings.http_trusted_proxies,
    )


def _make_guard(
    settings: IngestSettings,
    clock: Clock,
    metrics: IngestMetrics,
    agency_metrics: AgencyMetrics,
) -> Guard:
    """Load the catalogue, whose agencies are followed from here on.

    Raises:
        CatalogueError: It is wrong.
    """
    watch = AgencyWatch(
        settings.catalogue,
        load_catalogue(settings.catalogue),
        clock,
        metrics=agency_metrics,
        poll_seconds=settings.agencies_poll_seconds,
    )
    return Guard(settings, watch, metrics)
