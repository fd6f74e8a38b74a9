"""Puts the service together; the only place that opens pools and brokers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg
from prometheus_client import CollectorRegistry

from services.alerting.comparer import Comparer
from services.alerting.consumer import TotalsReader, TotalsSubscription
from services.alerting.door import Door
from services.alerting.endpoints import Endpoint, EndpointWatch
from services.alerting.forecaster import Forecaster
from services.alerting.jobs.backtest import Order, Outcome
from services.alerting.jobs.backtest import backtest as replay
from services.alerting.jobs.redeliver import (
    Wanted,
    ask_at_terminal,
    operator,
)
from services.alerting.jobs.redeliver import redeliver as send_again
from services.alerting.listener import Listener
from services.alerting.publisher import NoticePublisher
from services.alerting.relay import (
    AlertmanagerDelivery,
    NoticeRelay,
    WebhookDelivery,
    WebhookUpkeep,
)
from services.alerting.settings import AlertingSettings, BacktestSettings
from services.alerting.store import (
    AlertStore,
    ComparisonStore,
    DefinitionStore,
    EvaluationStore,
    ForecastStore,
    HistoryStore,
    SilenceStore,
    TotalsStore,
    WebhookStore,
)
from services.alerting.ticker import Ticker
from services.alerting.web import GaugeRefresh, make_app
from shared.alerting_metrics import AlertingMetrics, WebhookMetrics
from shared.backoff import wait_out
from shared.catalogue.model import Catalogue
from shared.clock import SystemClock
from shared.errors import FatalError, TransientError
from shared.http import Readiness, make_server, serve
from shared.kafka.broker import make_broker
from shared.kafka.producer import SteadyProducer, stopped_at_last
from shared.kafka.topic_setup import check_topics
from shared.metrics import WebhookFileMetrics, new_registry
from shared.postgres.pool import open_pool
from shared.settings import PostgresSettings

ROLE: Final = "uptake_alerting"
CONNECTIONS_MAX: Final = 6
POOL_CLOSE_SECONDS: Final = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the parts of the service share."""

    settings: AlertingSettings
    catalogue: Catalogue
    endpoints: EndpointWatch
    readiness: Readiness
    metrics: AlertingMetrics
    webhook_metrics: WebhookMetrics


async def run(
    settings: AlertingSettings,
    catalogue: Catalogue,
    endpoints: Sequence[Endpoint],
    stop: asyncio.Event,
) -> None:
    """Serve, copy, evaluate and deliver until told to stop.

    Args:
        settings: Of this process.
        catalogue: Checked.
        endpoints: Where webhooks lead, as their file was just read.
        stop: Set when the service is to end.

    Raises:
        FatalError: Inside an exception group; the service must not go on.
    """
    registry = new_registry()
    parts = _Parts(
        settings,
        catalogue,
        _follow(settings, endpoints, registry),
        Readiness(),
        AlertingMetrics(registry),
        WebhookMetrics(registry),
    )
    parts.readiness.set("start", "starting")
    server = make_server(
        make_app(parts.readiness, registry),
        registry,
        host=settings.http_host,
        port=settings.http_port,
        trusted_proxies=settings.http_trusted_proxies,
    )
    async with asyncio.TaskGroup() as tasks:
        # The doors open first: whoever asks is told what is waited for.
        tasks.create_task(serve(server))
        work = tasks.create_task(_work(parts))
        await stop.wait()
        _log.info("stopping")
        work.cancel()
        server.stop()


def _follow(
    settings: AlertingSettings,
    endpoints: Sequence[Endpoint],
    registry: CollectorRegistry,
) -> EndpointWatch:
    """Have webhooks follow their file, if there is one."""
    watch = EndpointWatch(endpoints)
    if settings.webhooks is not None:
        watch.follow(
            settings.webhooks,
            SystemClock(),
            metrics=WebhookFileMetrics(registry),
            poll_seconds=settings.webhooks_poll_seconds,
        )
    return watch


async def backtest(
    settings: BacktestSettings,
    catalogue: Catalogue,
    order: Order,
    on_step: Callable[[int, int], None],
) -> Outcome:
    """Replay history for targets; reads the public views alone.

    Args:
        settings: Of the verb.
        catalogue: Checked.
        order: What is wanted.
        on_step: Told how far it is.

    Raises:
        FatalError: With the reason.
    """
    try:
        pool = await open_pool(settings, role=None, size_max=1)
        try:
            store = HistoryStore(pool)
            limits = settings.risk_limits()
            return await replay(store, catalogue, order, limits, on_step)
        finally:
            await pool.close()
    except TransientError as error:
        # Who waits for an answer tries again sooner than any back-off would.
        raise FatalError(str(error)) from error


async def redeliver(settings: PostgresSettings, wanted: Wanted) -> list[str]:
    """Have webhooks told again of what was given up; return what was done, in lines.

    Args:
        settings: Of the verb.
        wanted: Which of it.

    Raises:
        FatalError: With the reason.
    """
    try:
        pool = await open_pool(settings, role=ROLE, size_max=1)
        try:
            store = WebhookStore(pool)
            return await send_again(store, wanted, ask_at_terminal, operator())
        finally:
            await pool.close()
    except TransientError as error:
        raise FatalError(str(error)) from error


async def _work(parts: _Parts) -> None:
    """Wait for what is needed, then run every part until cancelled."""
    settings, readiness = parts.settings, parts.readiness
    postgres = readiness.for_part("postgres")
    await wait_out(
        "check_topics",
        lambda: check_topics(settings),
        on_outage=readiness.for_part("kafka"),
    )
    async with _pool(parts) as pool:
        targets = await wait_out(
            "take_over_targets",
            lambda: DefinitionStore(pool).take_over(parts.catalogue),
            on_outage=postgres,
        )
        _log.info("started", extra={"targets": targets})
        await _run_parts(parts, pool)


@asynccontextmanager
async def _pool(parts: _Parts) -> AsyncIterator[asyncpg.Pool]:
    pool = await wait_out(
        "open_pool",
        lambda: open_pool(parts.settings, role=ROLE, size_max=CONNECTIONS_MAX),
        on_outage=parts.readiness.for_part("postgres"),
    )
    try:
        yield pool
    finally:
        try:
            async with asyncio.timeout(POOL_CLOSE_SECONDS):
                await pool.close()
        except TimeoutError:
            # A server that hangs must not hold up the end of this process.
            pool.terminate()


async def _run_parts(parts: _Parts, pool: asyncpg.Pool) -> None:
    settings, metrics = parts.settings, parts.metrics
    postgres = parts.readiness.for_part("postgres")
    interval = timedelta(seconds=settings.alert_evaluation_seconds)
    broker = make_broker(settings)
    producer = SteadyProducer(settings, linger_ms=0)
    totals, alerts = TotalsStore(pool), AlertStore(pool)
    moved = asyncio.Event()
    evaluations = EvaluationStore(
        pool,
        interval,
        settings.risk_limits(),
        moved=moved,
        silent_bp=settings.silent_share_bp(),
        texts=settings.texts(),
        webhooks=parts.endpoints.webhooks,
    )
    ticker = Ticker(evaluations, metrics, on_outage=postgres)
    forecaster = Forecaster(ForecastStore(pool), metrics, on_outage=postgres)
    subscription = TotalsSubscription(
        broker,
        TotalsReader(totals, on_outage=postgres, on_change=ticker.wake),
        totals,
        partition_count=settings.kafka_partitions,
        fetch_wait_ms=settings.kafka_fetch_wait_ms,
        readiness=parts.readiness,
        metrics=metrics,
    )
    relay = NoticeRelay(
        alerts,
        NoticePublisher(producer),
        on_outage=parts.readiness.for_part("notices"),
    )
    async with (
        stopped_at_last(producer),
        subscription.started(),
        asyncio.TaskGroup() as tasks,
    ):
        parts.readiness.set("start", None)
        tasks.create_task(subscription.run())
        tasks.create_task(ticker.run())
        tasks.create_task(forecaster.run())
        tasks.create_task(relay.run())
        _start_watch_of_agencies(tasks, parts, pool, ticker.wake)
        _start_deliveries(tasks, parts, pool, moved)


def _start_watch_of_agencies(
    tasks: asyncio.TaskGroup,
    parts: _Parts,
    pool: asyncpg.Pool,
    wake: Callable[[], None],
) -> None:
    """Listen to agencies, compare what they claim, and export where all stand."""
    settings, webhooks = parts.settings, parts.endpoints.webhooks
    postgres, texts = parts.readiness.for_part("postgres"), settings.texts()
    silences = SilenceStore(pool, texts=texts, webhooks=webhooks)
    comparisons = ComparisonStore(
        pool, settings.control_policy(), texts=texts, webhooks=webhooks
    )
    gauges = GaugeRefresh(
        AlertStore(pool),
        comparisons,
        parts.metrics,
        levels=settings.alert_metrics_localities,
        on_outage=postgres,
    )
    url = settings.ingest_url
    listener = Listener(
        silences,
        on_outage=postgres,
        on_change=wake,
        door=None if url is None else Door(str(url)),
    )
    tasks.create_task(listener.run())
    tasks.create_task(Comparer(comparisons, on_outage=postgres).run())
    tasks.create_task(gauges.run())


def _start_deliveries(
    tasks: asyncio.TaskGroup, parts: _Parts, pool: asyncpg.Pool, moved: asyncio.Event
) -> None:
    """Tell Alertmanager and webhooks, as far as there are any."""
    settings, metrics = parts.settings, parts.metrics
    postgres = parts.readiness.for_part("postgres")
    webhooks = WebhookStore(pool)
    keep = timedelta(hours=settings.webhook_keep_hours)
    upkeep = WebhookUpkeep(
        webhooks,
        parts.webhook_metrics,
        parts.endpoints.endpoints,
        keep=keep,
        on_outage=postgres,
    )
    tasks.create_task(upkeep.run())
    if settings.webhooks is not None:
        tasks.create_task(parts.endpoints.run())
        hooks = WebhookDelivery(
            webhooks,
            parts.webhook_metrics,
            parts.endpoints.endpoints,
            timeout=timedelta(seconds=settings.webhook_timeout_seconds),
            networks=settings.webhook_networks,
            keep=keep,
            on_outage=postgres,
        )
        tasks.create_task(hooks.run())
    if settings.alertmanager_url is not None:
        delivery = AlertmanagerDelivery(
            AlertStore(pool),
            metrics,
            url=str(settings.alertmanager_url),
            resend=timedelta(seconds=settings.alert_resend_seconds),
            timeout=timedelta(seconds=settings.alertmanager_timeout_seconds),
            moved=moved,
            on_outage=postgres,
        )
        tasks.create_task(delivery.run())
