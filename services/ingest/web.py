"""The door over HTTP: parse, decide, append, answer. No rule lives here."""

import json
import logging
import time
from collections.abc import Sequence
from typing import Final, NoReturn

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.ingest.core.admission import RepeatedKey, open_door
from services.ingest.core.receipt import Decided, decide
from services.ingest.guard.guard import Guard, TurnedAwayError
from services.ingest.publisher import LogPublisher
from services.ingest.settings import IngestSettings
from shared.catalogue.model import Agency
from shared.clock import Clock
from shared.errors import TransientError
from shared.http import Readiness, probe_routes, problem
from shared.metrics import HttpMetrics, IngestMetrics

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
RETRY_AFTER_SECONDS: Final = 2
ROUTE: Final = "/v1/events"
# What is too long is still read for a while and thrown away: a sender whose
# connection is cut while it sends would never see the answer.
DISCARDED_FACTOR_MAX: Final = 8

_log = logging.getLogger(__name__)


class ProblemError(Exception):
    """A request that is answered with a problem."""

    def __init__(self, response: JSONResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


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
        self._http_metrics = http_metrics
        self._clock = clock

    async def respond(self, request: Request) -> Response:
        """Answer one request."""
        began = time.monotonic()
        try:
            response = await self._answer(request)
        except (ProblemError, TurnedAwayError) as error:
            response = error.response
        self._http_metrics.requests.labels(ROUTE, response.status_code).inc()
        self._http_metrics.duration.labels(ROUTE).observe(time.monotonic() - began)
        return response

    async def _answer(self, request: Request) -> Response:
        bearer = self._guard.admit(request)
        agency = bearer.agency
        is_batch = _is_batch(request.headers.get("content-type", ""))
        body = await self._read_body(request, self._guard.body_bytes_max(bearer))
        events = self._parse(body, is_batch=is_batch)
        # One was taken at the door.
        self._guard.take(request, bearer, len(events) - 1)
        door = open_door(self._guard.catalogue, agency, self._clock.now())
        decided = decide(events, door)
        for _, refusal in decided.refused:
            self._metrics.refused.labels(refusal.code).inc()
        wants = request.query_params
        if not decided.admitted or (wants.get("atomic") == "true" and decided.refused):
            response = _refused(decided)
            self._guard.note_refused(request, bearer, decided, response.status_code)
            return response
        self._guard.note_refused(request, bearer, decided, 202)
        if wants.get("dry_run") != "true":
            await self._append(agency, decided)
        return JSONResponse(decided.receipt(len(decided.admitted)), status_code=202)

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
            raise _stop(
                503,
                "not-confirmed",
                "The log did not confirm",
                "whether the events are in the log is unknown: send them again with "
                "the same ids, they will count once",
                headers={"retry-after": str(RETRY_AFTER_SECONDS)},
            ) from error
        self._metrics.accepted.labels(agency.id).inc(len(decided.admitted))

    async def _read_body(self, request: Request, limit: int) -> bytes:
        body = bytearray()
        received = 0
        try:
            async for chunk in request.stream():
                received += len(chunk)
                if received <= limit:
                    body += chunk
                elif received > limit * DISCARDED_FACTOR_MAX:
                    break
        except ClientDisconnect as error:
            raise _stop(
                400, "cut-short", "The body is incomplete", "the sender hung up"
            ) from error
        if received > limit:
            raise _stop(
                413,
                "body-too-large",
                "The body is too large",
                f"send at most {limit:,} bytes at a time",
                headers={"connection": "close"},
            )
        return bytes(body)

    def _parse(self, body: bytes, *, is_batch: bool) -> Sequence[object]:
        parsed = _parse_json(body)
        if not is_batch:
            return (parsed,)
        if not isinstance(parsed, list):
            raise _stop(
                400,
                "not-a-batch",
                "The body is no batch",
                f"{BATCH} is a JSON array of events; one event is {STRUCTURED}",
            )
        if not parsed:
            raise _stop(
                400, "empty-batch", "The batch is empty", "send at least one event"
            )
        if len(parsed) > self._settings.batch_events_max:
            raise _stop(
                413,
                "batch-too-long",
                "The batch has too many events",
                f"{len(parsed):,} events; send at most "
                f"{self._settings.batch_events_max:,} at a time",
            )
        return parsed


def make_app(
    door: EventsDoor, readiness: Readiness, registry: CollectorRegistry
) -> Starlette:
    """Build the service's HTTP application."""
    return Starlette(
        routes=[
            Route(ROUTE, door.respond, methods=["POST"]),
            *probe_routes(readiness, registry),
        ]
    )


def _is_batch(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in (STRUCTURED, BATCH):
        raise _stop(
            415,
            "media-type",
            "The body's media type is not taken",
            f"content-type is {media_type or 'absent'}; send {STRUCTURED} for one "
            f"event or {BATCH} for an array",
        )
    return media_type == BATCH


def _parse_json(body: bytes) -> object:
    try:
        return json.loads(
            body.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        detail = f"byte {error.start} is not UTF-8"
    except json.JSONDecodeError as error:
        detail = f"line {error.lineno}, column {error.colno}: {error.msg.lower()}"
    except RecursionError:
        detail = "it is nested too deeply"
    except ValueError as error:
        detail = str(error).partition(";")[0].lower()
    raise _stop(400, "not-json", "The body is not JSON", detail)


def _object(pairs: list[tuple[str, object]]) -> object:
    """Build an object; one with a repeated key has no meaning of its own."""
    built = dict(pairs)
    if len(built) == len(pairs):
        return built
    seen = set()
    for key, _ in pairs:
        if key in seen:
            return RepeatedKey(key[:64])
        seen.add(key)
    raise AssertionError


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not json"
    raise ValueError(message)


def _refused(decided: Decided) -> JSONResponse:
    count = len(decided.refused)
    first_index, first = decided.refused[0]
    return problem(
        403 if decided.is_forbidden else 422,
        first.code.value.replace("_", "-") if count == 1 else "events-refused",
        "No event was taken",
        first.detail
        if decided.received == 1
        else f"{count:,} of {decided.received:,} events were refused, nothing was "
        f"sent; the first is event {first_index}: {first.detail}",
        extra=dict(decided.receipt(0)),
    )


def _stop(
    status: int,
    slug: str,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
) -> ProblemError:
    return ProblemError(problem(status, slug, title, detail, headers=headers))
