"""Composition root: the only builder of pools and tasks."""

import asyncio
import logging
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from services.board.guard import Guard, ReaderWatch
from services.board.settings import BoardSettings
from services.board.store import BoardStore
from services.board.ticker import watch_postgres
from services.board.web import BoardDoors, make_app
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Agency
from shared.catalogue.watch import AgencyWatch
from shared.clock import SystemClock
from shared.http import Readiness, make_server, serve
from shared.metrics import (
    AgencyMetrics,
    BoardMetrics,
    HttpMetrics,
    ReaderMetrics,
    new_registry,
)

_log = logging.getLogger(__name__)


class Opening:
    """What is read before the door opens: the catalogue, and the file of readers."""

    def __init__(self, settings: BoardSettings) -> None:
        """Read the files; they are followed while the guard runs.

        Raises:
            CatalogueError: One is wrong.
        """
        self.clock = SystemClock()
        self.registry = new_registry()
        self.metrics = BoardMetrics(self.registry)
        catalogue = load_catalogue(settings.catalogue)
        self.zone = ZoneInfo(catalogue.timezone)
        agencies = AgencyWatch(
            settings.catalogue,
            catalogue,
            self.clock,
            metrics=AgencyMetrics(self.registry),
            poll_seconds=settings.agencies_poll_seconds,
        )

        def agencies_now() -> Iterable[Agency]:
            return agencies.catalogue.agencies.values()

        readers = ReaderWatch(self.clock, zone=self.zone, agencies=agencies_now)
        if settings.readers is not None:
            readers.follow(
                settings.readers,
                metrics=ReaderMetrics(self.registry),
                poll_seconds=settings.agencies_poll_seconds,
            )
        self.guard = Guard(
            agencies,
            readers,
            self.metrics,
            audit_lines_per_minute=settings.audit_lines_per_minute,
        )


async def run(settings: BoardSettings, opening: Opening, stop: asyncio.Event) -> None:
    """Answer until told to stop; open requests get their answer.

    Args:
        settings: Of this process.
        opening: Has taken the first keys over.
        stop: Set when the service is to end.

    Raises:
        FatalError: Inside an exception group; the service must not go on.
    """
    readiness = Readiness()
    readiness.set("postgres", "connecting")
    store = BoardStore(settings)
    doors = BoardDoors(
        settings,
        store,
        opening.guard,
        opening.clock,
        zone=opening.zone,
        metrics=opening.metrics,
        http_metrics=HttpMetrics(opening.registry),
    )
    server = make_server(
        make_app(doors, readiness, opening.registry),
        opening.registry,
        host=settings.http_host,
        port=settings.http_port,
        trusted_proxies=settings.http_trusted_proxies,
    )
    try:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(serve(server))
            watches = (
                tasks.create_task(watch_postgres(store, readiness)),
                tasks.create_task(opening.guard.run()),
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
