"""A receiver of Alertmanager's API that notes when it was first told of each alert."""

from collections import defaultdict
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
        self._starts: dict[tuple[str, str], set[str]] = defaultdict(set)
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

    def episodes(self) -> set[int]:
        """Return how often alerts were raised, as far as it was told of them."""
        return {len(starts) for starts in self._starts.values()}

    async def _take(self, request: web.Request) -> web.Response:
        at = now()
        for one in await request.json():
            labels = one["labels"]
            alert = (labels["alertname"], labels.get("target", ""))
            self._first.setdefault(alert, at)
            self._starts[alert].add(one["startsAt"])
        return web.json_response({})
