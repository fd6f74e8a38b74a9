"""Ingest's real door, asked without a socket: what it answers to a request."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message
from typing_extensions import override

from services.ingest.core.admission import Admitted
from services.ingest.guard.guard import Guard
from services.ingest.guard.limits import AgencyRates
from services.ingest.publisher import LogPublisher
from services.ingest.settings import IngestSettings
from services.ingest.web import EventsDoor, make_app
from shared.catalogue.model import Agency, AgencyKey
from shared.catalogue.watch import AgencyWatch
from shared.events.cloudevent_v1 import BATCH, STREAM, STRUCTURED
from shared.http import Readiness
from shared.http_protocol import BROKEN_FRAMING
from shared.metrics import AgencyMetrics, HttpMetrics, IngestMetrics, new_registry
from tests.unit.ingest.doors import BANK, NOON, make_catalogue

KEY = "a-key-of-the-bank"
PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        body: None stands for a sender who hangs up.
        ends: Whether the body ends; else the sender sends no more of it.
        is_framed: Whether the body's chunks are HTTP's to the end.
    """

    body: bytes | None = b""
    path: str = "/v1/events"
    query: str = ""
    content_type: str = STRUCTURED
    key: str | None = KEY
    client: str | None = "192.0.2.7"
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    ends: bool = True
    is_framed: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type, without parameters."""
        return self.headers["content-type"].partition(";")[0]

    def json(self) -> Any:  # noqa: ANN401 -- JSON can be anything
        """Parse the body."""
        return json.loads(self.body)


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return noon of the day of all examples."""
        return NOON


class ConfirmingLog(LogPublisher):
    """A log that confirms whatever it is given."""

    @override
    async def append(self, agency: str, events: Sequence[Admitted | bytes]) -> None:
        """Confirm."""


class UsedUpRates(AgencyRates):
    """The rates of agencies that have just sent all that they may."""

    @override
    def take(self, agency: Agency, events: int) -> float:
        """Let nothing through for a second."""
        return 1.0


def make_used_up(settings: IngestSettings) -> AgencyRates:
    """Make such rates, with the limits of the settings."""
    return UsedUpRates(
        events_per_second=settings.agency_events_per_second,
        burst_events=settings.agency_burst_events,
    )


def one(event: object, **changes: Any) -> Request:  # noqa: ANN401 -- any of Request's
    """Ask with one event."""
    return Request(json.dumps(event).encode(), **changes)


def batch(events: object, **changes: Any) -> Request:  # noqa: ANN401 -- any of Request's
    """Ask with a batch."""
    return one(events, content_type=BATCH, **changes)


def stream(*events: object, **changes: Any) -> Request:  # noqa: ANN401 -- any of Request's
    """Ask with a stream; texts go as they are."""
    lines = (each if isinstance(each, str) else json.dumps(each) for each in events)
    body = "".join(f"{line}\n" for line in lines).encode()
    return Request(body, content_type=STREAM, **changes)


def make_settings(**changes: float) -> IngestSettings:
    """Make settings that leave every limit as it is shipped, but those named."""
    return IngestSettings.model_validate(
        {
            "catalogue": PROJECT / "deploy",
            "kafka_bootstrap_servers": "127.0.0.1:9",
            **changes,
        }
    )


def make_guard(
    settings: IngestSettings, registry: CollectorRegistry, *agencies: Agency
) -> tuple[Guard, IngestMetrics]:
    """Build a guard who knows some agencies, and what he counts with."""
    metrics = IngestMetrics(registry)
    known = {agency.id: agency for agency in agencies}
    watch = AgencyWatch(
        settings.catalogue,
        replace(make_catalogue(), agencies=known),
        Noon(),
        metrics=AgencyMetrics(registry),
        poll_seconds=settings.agencies_poll_seconds,
    )
    return Guard(settings, watch, metrics), metrics


@dataclass(frozen=True, slots=True)
class DoorFrame:
    """Ingest's door with its guard, and the application round it."""

    door: EventsDoor
    guard: Guard
    app: ASGIApp


def make_frame(
    *,
    is_log_away: bool = False,
    waiting_for: str | None = None,
    publisher: LogPublisher | None = None,
    limits: Mapping[str, float] | None = None,
) -> DoorFrame:
    """Build ingest's application for one agency that has a key.

    Args:
        is_log_away: Whether Kafka has not been reached yet.
        waiting_for: Why the service is not ready.
        publisher: In place of a log that confirms all.
        limits: Settings that are not as they are shipped.
    """
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    bank = replace(BANK, keys=(AgencyKey("first", digest),))
    settings, registry = make_settings(**(limits or {})), new_registry()
    kind = LogPublisher if is_log_away else ConfirmingLog
    guard, metrics = make_guard(settings, registry, bank)
    door = EventsDoor(
        settings,
        guard,
        publisher or kind(settings, ack_timeout_seconds=1),
        Noon(),
        metrics=metrics,
        http_metrics=HttpMetrics(registry),
    )
    readiness = Readiness()
    readiness.set("kafka", waiting_for)
    return DoorFrame(door, guard, make_app(door, readiness, registry))


def make_door(*, is_log_away: bool = False, waiting_for: str | None = None) -> ASGIApp:
    """Build the application as it is shipped; see `make_frame`."""
    return make_frame(is_log_away=is_log_away, waiting_for=waiting_for).app


async def ask(app: ASGIApp, request: Request) -> Answer:
    """Ask as a server would, and collect the answer."""
    headers = [(b"content-type", request.content_type.encode())]
    headers += [(name.encode(), value.encode()) for name, value in request.headers]
    if request.key is not None:
        headers.append((b"authorization", f"Bearer {request.key}".encode()))
    scope: dict[str, Any] = {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "query_string": request.query.encode(),
        "headers": headers,
        "client": request.client and (request.client, 50_000),
        "state": {},
    }
    waiting = [request.body]
    sent: list[Message] = []

    async def receive() -> Message:
        if not waiting and not request.is_framed:
            scope["state"] = {BROKEN_FRAMING: True}
            return {"type": "http.disconnect"}
        body = waiting.pop() if waiting else await asyncio.Future()
        if body is None:
            return {"type": "http.disconnect"}
        has_more = not request.ends or not request.is_framed
        return {"type": "http.request", "body": body, "more_body": has_more}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    return Answer(
        status=start["status"],
        headers={name.decode(): value.decode() for name, value in start["headers"]},
        body=b"".join(part.get("body", b"") for part in rest),
    )
