"""Composition root: the only builder of pools, clients and tasks."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from services.aggregation.consumer.applier import BatchApplier
from services.aggregation.consumer.assignment import Assignment
from services.aggregation.consumer.reader import LogReader
from services.aggregation.consumer.records import decode_records
from services.aggregation.consumer.replay import LogReplay, partition_of
from services.aggregation.consumer.waiting import WaitingCuts
from services.aggregation.consumer.watch import watch_log
from services.aggregation.core.limit import UnreadableLimit
from services.aggregation.core.retention import keeping_time
from services.aggregation.jobs.rebuild import Display, Order, Outcome, Rebuild
from services.aggregation.jobs.republish import Display as RepublishDisplay
from services.aggregation.jobs.republish import Republication
from services.aggregation.jobs.retention import drop_old_rows
from services.aggregation.relay import OutboxRelay
from services.aggregation.settings import (
    AggregationSettings,
    RebuildSettings,
    VerbSettings,
)
from services.aggregation.sql import NEXT
from services.aggregation.store.generation import GenerationStore
from services.aggregation.store.ledger import LedgerStore
from services.aggregation.store.outbox import OutboxStore
from services.aggregation.store.republish import RepublishStore
from services.aggregation.store.retention import RetentionStore
from services.aggregation.store.unreadable import UnreadableWatch
from services.aggregation.store.views import ViewStore
from services.aggregation.ticker import carry_levels
from services.aggregation.web import make_app, refresh_levels
from shared.backoff import wait_out
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Tree
from shared.clock import SystemClock
from shared.events.topics import AGGREGATION_GROUP
from shared.http import Readiness, make_server, serve
from shared.kafka.broker import make_consumer
from shared.kafka.topic_setup import check_topics
from shared.metrics import AggregationMetrics, new_registry
from shared.postgres.pool import open_pool

ROLE = "uptake_aggregation"
# Batches of different partitions are applied side by side, each on a connection of
# its own (ADR 0013); two keep two cores busy.
APPLIERS = 2
POOL_SIZE_MAX = 4 + APPLIERS
# Of a rebuild: longest that one statement of making, comparing or switching may run.
REBUILD_STATEMENT_SECONDS_MAX = 3600.0

_log = logging.getLogger(__name__)


async def run(settings: AggregationSettings, stop: asyncio.Event) -> None:
    """Run the service until `stop` is set.

    Raises:
        FatalError: Inside an exception group; the service must not go on.
    """
    catalogue = load_catalogue(settings.catalogue)
    kept_for = keeping_time(settings.ledger_days, catalogue.window_days)
    registry = new_registry()
    metrics = AggregationMetrics(registry)
    readiness = Readiness()
    readiness.set("log", "starting")
    server = make_server(
        make_app(readiness, registry),
        registry,
        host=settings.http_host,
        port=settings.http_port,
        trusted_proxies=settings.http_trusted_proxies,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(serve(server))
        working = group.create_task(
            _work(settings, catalogue.tree, kept_for, metrics, readiness)
        )
        _log.info("started", extra={"port": settings.http_port})
        await stop.wait()
        _log.info("stopping")
        # Every step is safe to cut: what was not committed is read again.
        working.cancel()
        server.stop()


async def _work(
    settings: AggregationSettings,
    tree: Tree,
    kept_for: timedelta,
    metrics: AggregationMetrics,
    readiness: Readiness,
) -> None:
    """Connect, load the tree, then read, publish and measure until cancelled."""
    on_outage = readiness.for_part("postgres")
    await wait_out(
        "check_topics",
        lambda: check_topics(settings),
        on_outage=readiness.for_part("kafka"),
    )
    pool = await wait_out(
        "open_pool",
        lambda: open_pool(settings, role=ROLE, size_max=POOL_SIZE_MAX),
        on_outage=on_outage,
    )
    views = ViewStore(pool)
    try:
        await wait_out("load_tree", lambda: views.load_tree(tree), on_outage=on_outage)
        assignment = Assignment()
        relay = OutboxRelay(
            settings,
            OutboxStore(pool),
            metrics,
            readiness,
            interval_seconds=settings.publish_interval_seconds,
        )
        async with asyncio.TaskGroup() as group:
            new_ledger = partial(LedgerStore, pool, kept_for)
            _start_consuming(
                group, settings, new_ledger, assignment, metrics, readiness
            )
            group.create_task(relay.run(assignment.applied, assignment.watermarks))
            group.create_task(
                drop_old_rows(
                    RetentionStore(pool),
                    metrics,
                    readiness,
                    interval_seconds=settings.retention_interval_seconds,
                )
            )
            group.create_task(
                refresh_levels(
                    views,
                    metrics,
                    readiness,
                    interval_seconds=settings.metrics_interval_seconds,
                )
            )
    finally:
        pool.terminate()


def _start_consuming(  # noqa: PLR0917 -- wiring
    group: asyncio.TaskGroup,
    settings: AggregationSettings,
    new_ledger: Callable[[], LedgerStore],
    assignment: Assignment,
    metrics: AggregationMetrics,
    readiness: Readiness,
) -> None:
    """Start the reader, the applier behind it, and the watch over both."""
    ledger, clock = new_ledger(), SystemClock()
    consumer = make_consumer(settings, group_id=AGGREGATION_GROUP)
    waiting = WaitingCuts(records_max=settings.batch_records_max)
    reader = LogReader(
        consumer,
        assignment,
        ledger,
        readiness,
        cut_records_max=settings.batch_records_max,
    )
    limit = UnreadableLimit(
        records_max=settings.unreadable_records_max,
        window_records=settings.unreadable_window_records,
    )
    watch = UnreadableWatch(settings, limit, decode_records)
    group.create_task(reader.run(waiting))
    for _ in range(APPLIERS):
        # Each has a store of its own: numbers that one learns in a transaction that is
        # then rolled back must not be known to the other.
        applier = BatchApplier(
            assignment,
            new_ledger(),
            watch,
            clock,
            metrics=metrics,
            readiness=readiness,
        )
        group.create_task(applier.run(waiting))
    group.create_task(watch_log(consumer, assignment, metrics, clock))
    group.create_task(
        carry_levels(
            ledger, readiness, interval_seconds=settings.carry_interval_seconds
        )
    )


async def rebuild(settings: RebuildSettings, order: Order, display: Display) -> Outcome:
    """Rebuild ledger and totals from the log, beside the running service.

    Raises:
        FatalError: It cannot be done; the old generation serves.
    """
    await wait_out(
        "check_topics", lambda: check_topics(settings), on_outage=display.waits
    )
    patient = settings.model_copy(
        update={"postgres_statement_timeout_seconds": REBUILD_STATEMENT_SECONDS_MAX}
    )
    held = await wait_out(
        "open_pool",
        lambda: open_pool(patient, role=ROLE, size_max=1),
        on_outage=display.waits,
    )
    applied = await wait_out(
        "open_pool",
        lambda: open_pool(settings, role=ROLE, size_max=1),
        on_outage=display.waits,
    )
    replay = LogReplay(
        make_consumer(settings, group_id=None),
        partitions=settings.kafka_partitions,
        batch_records_max=settings.batch_records_max,
    )
    kept_for = timedelta(days=settings.ledger_days)
    job = Rebuild(
        replay,
        GenerationStore(held),
        LedgerStore(applied, kept_for, NEXT),
        RetentionStore(applied, NEXT),
        display=display,
        order=order,
    )
    try:
        await wait_out("open_log", replay.open, on_outage=display.waits)
        return await job.run()
    finally:
        await replay.close()
        held.terminate()
        applied.terminate()


async def republish(settings: VerbSettings, display: RepublishDisplay) -> int:
    """Have running aggregations publish all totals once more; return how many.

    Raises:
        FatalError: It cannot be done, e.g. because `uptake.totals` does not exist.
    """
    await wait_out(
        "check_topics", lambda: check_topics(settings), on_outage=display.waits
    )
    pool = await wait_out(
        "open_pool",
        lambda: open_pool(settings, role=ROLE, size_max=1),
        on_outage=display.waits,
    )
    numbers = range(settings.kafka_partitions)
    job = Republication(
        RepublishStore(pool), display, lambda agency: partition_of(agency, numbers)
    )
    try:
        return await job.run()
    finally:
        pool.terminate()
