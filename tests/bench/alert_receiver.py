"""A receiver of Alertmanager's API that notes when it was first told of each alert."""

import statistics
from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from aiohttp import web

from services.cli.embedded.ports import LOOPBACK, free_port
from tests.support.events import now

BODY_BYTES_MAX = 16 * 1024 * 1024


class AlertReceiver:
    """Answers `POST /api/v2/alerts` as Alertmanager does, and forgets the rest."""

    def __init__(self) -> None:
        self._port = free_port()
        self._first: dict[tuple[str, str], datetime] = {}
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        application.router.add_post("/api/v2/alerts", self._take)
        self._runner = web.AppRunner(application)

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://{LOOPBACK}:{self._port}"

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port).start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    def count(self, kind: str) -> int:
        """Count the targets of which an alert of a kind was told."""
        return sum(name == kind for name, _ in self._first)

    def first(self, kind: str, target: str) -> datetime:
        """Return when it was first told of an alert."""
        return self._first[kind, target]

    async def _take(self, request: web.Request) -> web.Response:
        at = now()
        for alert in await request.json():
            labels = alert["labels"]
            self._first.setdefault((labels["alertname"], labels.get("target", "")), at)
        return web.json_response({})


def percentiles(waits: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    return statistics.median(waits), cuts[98]
