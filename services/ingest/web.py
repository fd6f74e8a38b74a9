"""The door over HTTP: parse, decide, append, answer. No rule lives here."""

import asyncio
import itertools
import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.ingest.core.admission import open_door
from services.ingest.core.json_text import EventBounds
from services.ingest.core.precedents import Precedents
from services.ingest.core.receipt import Decided, Deciding, StreamTally
from services.ingest.core.text import echo_name
from services.ingest.guard.guard import Guard
from services.ingest.publisher import LogPublisher
from services.ingest.settings import IngestSettings
from services.ingest.wire.body import (
    HeldBytes,
    Pace,
    PartingResponse,
    RequestBody,
    Share,
)
from services.ingest.wire.encodings import Unpacking
from services.ingest.wire.modes import BatchBounds, Mode, empty, events_of, mode_of
from services.ingest.wire.ndjson import StreamIntake
from services.ingest.wire.problems import ProblemError
from shared.catalogue.keys import Bearer
from shared.catalogue.model import Agency
from shared.clock import Clock
from shared.errors import TransientError
from shared.http import Readiness, Straight, make_application, probe_routes
from shared.metrics import HttpMetrics, IngestMetrics

RETRY_AFTER_SECONDS: Final = 2
ROUTE: Final = "/v1/events"
# Other requests are served in between.
DECIDED_AT_ONCE_MAX: Final = 250
# What a request holds while it is read, for each byte of its body; and for each of its
# events while the log has not confirmed it.
HELD_PER_BYTE: Final = 3
HELD_PER_EVENT: Final = 2_048

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the query asks for."""

    is_dry_run: bool
    is_atomic: bool


NO_WISHES: Final = Wishes(is_dry_run=False, is_atomic=False)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request whose head can be taken, before its body is read."""

    request: Request
    body: RequestBody
    mode: Mode
    unpacking: Unpacking
    wishes: Wishes


class EventsDoor:
    """`POST /v1/events`."""

    def __init__(
        self,
        settings: IngestSettings,
        guard: Guard,
        publisher: LogPublisher,
        clock: Clock,
        *,
        metrics: IngestMetrics,
        http_metrics: HttpMetrics,
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._publisher = publisher
        self._metrics = metrics
        self._route_metrics = http_metrics.of(ROUTE)
        self._clock = clock
        self._precedents = Precedents()
        event = EventBounds(settings.event_bytes_max, settings.event_nesting_max)
        self._bounds = BatchBounds(settings.batch_events_max, event)
        self._held = HeldBytes(settings.held_bytes_max)
        self._streams: set[RequestBody] = set()
        self._is_stopping = False
        metrics.streams_open.set_function(lambda: len(self._streams))
        metrics.held_bytes.set_function(lambda: self._held.total)

    def stop(self) -> None:
        """End the streams; each is told how far it has come."""
        self._is_stopping = True
        for body in self._streams:
            body.interrupt(_stopping())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        began = time.monotonic()
        request = Request(scope, receive)
        body = RequestBody(request)
        response: Response
        try:
            response = await self._answer(request, body)
        except ProblemError as error:
            response = error.response
        if not body.is_finished:
            response = PartingResponse(response, body)
        self._route_metrics.note(response.status_code, time.monotonic() - began)
        await response(scope, receive, send)

    async def _answer(self, request: Request, body: RequestBody) -> Response:
        bearer = self._guard.admit(request)
        arrival = Arrival(
            request,
            body,
            mode_of(request.headers),
            Unpacking(
                ",".join(request.headers.getlist("content-encoding")),
                ratio_max=self._settings.unpacked_ratio_max,
            ),
            _wishes(request.query_params)
            if request.scope["query_string"]
            else NO_WISHES,
        )
        if arrival.mode is Mode.STREAM:
            return await self._take_stream(arrival)
        wishes = arrival.wishes
        with self._held.share() as share:
            decided = await self._read(arrival, bearer, share)
            # One was taken at the door.
            self._guard.take(request, bearer, decided.received - 1)
            if not decided.admitted or (wishes.is_atomic and decided.refused):
                refused = _refused(decided)
                self._guard.note_refused(request, bearer, decided, refused.status)
                raise refused
            self._guard.note_refused(request, bearer, decided, 202)
            if not wishes.is_dry_run:
                share.hold(len(decided.admitted) * HELD_PER_EVENT)
                await self._append(bearer.agency, decided)
        return _accepted(decided.receipt(len(decided.admitted)))

    async def _read(self, arrival: Arrival, bearer: Bearer, share: Share) -> Decided:
        """Read and decide; what was read is forgotten when this returns."""
        settings = self._settings
        bytes_max = self._guard.body_bytes_max(bearer)
        if arrival.mode is not Mode.BATCH:
            bytes_max = min(bytes_max, settings.event_bytes_max)
        content = await arrival.body.whole(
            arrival.unpacking,
            Pace(settings.body_seconds_max, settings.body_pause_seconds_max),
            bytes_max=bytes_max,
            on_growth=lambda size: share.hold(size * HELD_PER_BYTE),
        )
        headers = arrival.request.headers
        events = events_of(arrival.mode, content, headers, self._bounds)
        return await self._decide(events, bearer)

    async def _take_stream(self, arrival: Arrival) -> Response:
        request, body, wishes = arrival.request, arrival.body, arrival.wishes
        if wishes.is_atomic:
            raise ProblemError(
                400,
                "stream-not-atomic",
                "A stream cannot be atomic",
                "its first lines are in the log before its last are read; leave out "
                "atomic, or send a batch",
            )
        settings = self._settings
        if self._is_stopping:
            raise _stopping()
        if len(self._streams) >= settings.streams_max:
            raise ProblemError(
                503,
                "too-many-streams",
                "Too many streams are open",
                "nothing was taken; send the same again later, or as batches",
                headers={"retry-after": str(RETRY_AFTER_SECONDS)},
            )
        tally = StreamTally(settings.stream_refusals_max)

        async def decide(events: Iterable[object]) -> Decided:
            # A stream may last longer than a day is open, or than its key is valid.
            bearer = self._guard.bearer(request)
            decided = await self._decide(events, bearer)
            self._guard.note_refused(request, bearer, decided, 202)
            await self._guard.wait(bearer, decided.received, body.rest)
            return decided

        async def append(decided: Decided) -> None:
            if decided.admitted and not wishes.is_dry_run:
                await self._append(self._guard.bearer(request).agency, decided)

        intake = StreamIntake(tally, self._bounds.event, decide=decide, append=append)
        pace = Pace(settings.stream_seconds_max, settings.body_pause_seconds_max)
        self._streams.add(body)
        try:
            async with aclosing(body.plain(arrival.unpacking, pace)) as pieces:
                await intake.take(pieces)
        except ProblemError as error:
            raise _broken(error, tally) from error
        finally:
            self._streams.discard(body)
        return _summary(tally)

    async def _decide(self, events: Iterable[object], bearer: Bearer) -> Decided:
        """Decide on events, and let others go on in between."""
        now = self._clock.now()
        door = open_door(self._guard.catalogue, bearer.agency, now)
        deciding = Deciding(door, self._precedents)
        left = iter(events)
        while True:
            before = deciding.received
            deciding.add(itertools.islice(left, DECIDED_AT_ONCE_MAX))
            if deciding.received - before < DECIDED_AT_ONCE_MAX:
                break
            await asyncio.sleep(0)
        decided = deciding.decided
        for _, refusal in decided.refused:
            self._metrics.refused.labels(refusal.code).inc()
        return decided

    async def _append(self, agency: Agency, decided: Decided) -> None:
        try:
            await self._publisher.append(agency.id, decided.admitted)
        except TransientError as error:
            self._metrics.unconfirmed.inc(len(decided.admitted))
            _log.warning(
                "append_unconfirmed",
                extra={
                    "agency": agency.id,
                    "events": len(decided.admitted),
                    "reason": str(error),
                },
            )
            raise ProblemError(
                503,
                "not-confirmed",
                "The log did not confirm",
                "whether the events are in the log is unknown: send them again with "
                "the same ids, they will count once",
                headers={"retry-after": str(RETRY_AFTER_SECONDS)},
            ) from error
        self._metrics.accepted.labels(agency.id).inc(len(decided.admitted))


def make_app(
    door: EventsDoor, readiness: Readiness, registry: CollectorRegistry
) -> ASGIApp:
    """Build the service's HTTP application."""
    application = make_application(
        [
            Route(ROUTE, door, methods=["POST"]),
            *probe_routes(readiness, registry),
        ]
    )
    return Straight(application, "POST", ROUTE, door)


def _wishes(query: QueryParams) -> Wishes:
    """Read the query; a misspelt wish would do the opposite of what is wanted."""
    found = {"dry_run": False, "atomic": False}
    for name, value in query.multi_items():
        if name not in found or value not in ("true", "false"):
            raise ProblemError(
                400,
                "bad-parameter",
                "The query has a parameter that is not taken",
                f"{echo_name(name)}={echo_name(value)}; there are dry_run and atomic, "
                "each true or false",
            )
        found[name] = value == "true"
    return Wishes(is_dry_run=found["dry_run"], is_atomic=found["atomic"])


def _refused(decided: Decided) -> ProblemError:
    count = len(decided.refused)
    first_index, first = decided.refused[0]
    return ProblemError(
        403 if decided.is_forbidden else 422,
        first.code.value.replace("_", "-") if count == 1 else "events-refused",
        "No event was taken",
        first.detail
        if decided.received == 1
        else f"{count:,} of {decided.received:,} events were refused, nothing was "
        f"sent; the first is event {first_index}: {first.detail}",
        extra=decided.receipt(0),
    )


def _summary(tally: StreamTally) -> Response:
    if tally.received == 0:
        raise empty()
    if tally.accepted == 0:
        raise ProblemError(
            403 if tally.is_forbidden else 422,
            "events-refused",
            "No event was taken",
            f"{tally.received:,} of {tally.received:,} events were refused",
            extra=tally.receipt(),
        )
    return _accepted(tally.receipt())


def _accepted(receipt: Mapping[str, object]) -> Response:
    # Five times as fast as the standard library, and said for each event.
    return Response(
        msgspec.json.encode(receipt), status_code=202, media_type="application/json"
    )


def _broken(error: ProblemError, tally: StreamTally) -> ProblemError:
    """Say how far a stream came that broke in its midst."""
    receipt: Mapping[str, object] = tally.receipt()
    _log.warning(
        "stream_broken",
        extra={
            "slug": error.slug,
            "accepted": tally.accepted,
            "durable_through_line": tally.lines,
        },
    )
    far = (
        f"lines up to {tally.lines:,} are durable"
        if tally.lines
        else "no line is durable"
    )
    return ProblemError(
        error.status,
        error.slug,
        error.title,
        f"{error.detail}; {far}: send the others again, or the whole stream, each "
        "event counts once",
        headers=error.headers,
        extra=receipt,
    )


def _stopping() -> ProblemError:
    return ProblemError(
        503,
        "stopping",
        "The service is stopping",
        "send the same again later",
        headers={"retry-after": str(RETRY_AFTER_SECONDS)},
    )
