"""Composition root: the only builder of pools and tasks."""

import asyncio
import logging
from zoneinfo import ZoneInfo

from services.board.settings import BoardSettings
from services.board.store import BoardStore
from services.board.ticker import KeyWatch, watch_postgres
from services.board.web import BoardDoors, make_app
from shared.catalogue.model import Catalogue
from shared.clock import SystemClock
from shared.http import Readiness, make_server, serve
from shared.metrics import BoardMetrics, HttpMetrics, new_registry

_log = logging.getLogger(__name__)


async def run(
    settings: BoardSettings, catalogue: Catalogue, watch: KeyWatch, stop: asyncio.Event
) -> None:
    """Answer until told to stop; open requests get their answer.

    Args:
        settings: Of this process.
        catalogue: Its time zone decides the local day.
        watch: Has taken the first keys over.
        stop: Set when the service is to end.

    Raises:
        FatalError: Inside an exception group; the service must not go on.
    """
    registry = new_registry()
    metrics = BoardMetrics(registry)
    readiness = Readiness()
    readiness.set("postgres", "connecting")
    store = BoardStore(settings)
    doors = BoardDoors(
        settings,
        store,
        watch.keys,
        SystemClock(),
        zone=ZoneInfo(catalogue.timezone),
        metrics=metrics,
        http_metrics=HttpMetrics(registry),
    )
    server = make_server(
        make_app(doors, readiness, registry),
        registry,
        host=settings.http_host,
        port=settings.http_port,
        trusted_proxies=settings.http_trusted_proxies,
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(serve(server))
            watches = (
                tasks.create_task(watch_postgres(store, readiness)),
                tasks.create_task(watch.run(settings.keys_check_seconds, metrics)),
            )
            await stop.wait()
            _log.info("stopping")
            for task in watches:
                task.cancel()
            # Open requests get their answer before the database goes away.
            server.stop()
            await serving
    finally:
        await store.close()
