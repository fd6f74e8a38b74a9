"""A stand-in for Alertmanager: a real HTTP server that is away at times."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final, NamedTuple

from aiohttp import web

from services.cli.embedded.ports import LOOPBACK, free_port
from tests.faults.year.plan import Manner

UNFORESEEN: Final = frozenset({"TargetAtRisk", "TargetUnknown"})
"""What rests on forecasts, and what keeps others quiet: no truth tells of them."""


class Subject(NamedTuple):
    """What an alert says, and about which target or agency."""

    kind: str
    name: str


@dataclass(slots=True)
class Receiver:
    """Takes alerts as Alertmanager's API v2 does, and remembers what it was told.

    Attributes:
        port: Where it listens when it is there.
        raises: How often it was told of each alert, by the instant it began.
        at_once: How often it was told of each alert since `begin_look`.
        most_at_once: The greatest of these ever: a storm would show here.
        turned_away: Requests that were answered with 503.
    """

    port: int = field(default_factory=free_port)
    raises: dict[Subject, Counter[datetime]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
    at_once: Counter[Subject] = field(default_factory=Counter)
    most_at_once: int = 0
    turned_away: int = 0
    _ends: dict[Subject, tuple[datetime, datetime]] = field(default_factory=dict)
    _manner: Manner | None = Manner.CLOSED
    _runner: web.AppRunner | None = None

    @property
    def is_away(self) -> bool:
        """Whether nobody is heard."""
        return self._manner is not None

    def begin_look(self) -> None:
        """Count anew how often each alert is told."""
        self.at_once.clear()

    def active(self, at: datetime) -> Mapping[Subject, datetime]:
        """Name what fires, as far as was told, and since when."""
        return {
            subject: starts
            for subject, (starts, ends) in self._ends.items()
            if ends > at
        }

    async def go(self, manner: Manner | None) -> None:
        """Be away in a manner, or there."""
        if manner is self._manner:
            return
        self._manner = manner
        if manner is Manner.CLOSED:
            await self.close()
        elif self._runner is None:
            await self._open()

    async def close(self) -> None:
        """Stop listening; connections that are open end."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_post("/api/v2/alerts", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.port).start()

    async def _take(self, request: web.Request) -> web.Response:
        if self._manner is not None:
            self.turned_away += 1
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        for alert in await request.json():
            labels = alert["labels"]
            name = labels.get("target") or labels.get("agency", "")
            subject = Subject(labels["alertname"], name)
            if subject.kind in UNFORESEEN:
                continue
            starts = datetime.fromisoformat(alert["startsAt"])
            self._ends[subject] = (starts, datetime.fromisoformat(alert["endsAt"]))
            self.raises[subject][starts] += 1
            self.at_once[subject] += 1
            self.most_at_once = max(self.most_at_once, self.at_once[subject])
        return web.Response()
