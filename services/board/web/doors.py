"""`/v1/totals`, `/v1/series`, `/v1/targets`, `/v1/alerts` and `/v1/receipts`."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.board.core.callers import Caller, KeyRing, find_foreign
from services.board.core.questions import (
    ask_alerts,
    ask_series,
    ask_targets,
    ask_totals,
)
from services.board.settings import BoardSettings
from services.board.store import BoardStore
from services.board.web import problems
from shared.clock import Clock
from shared.events.receipts_v1 import ReceiptsRequestV1
from shared.http import Readiness, probe_routes
from shared.metrics import BoardMetrics, HttpMetrics

JSON: Final = "application/json"
# What is too long is still read for a while and thrown away: a sender whose
# connection is cut while it sends would never see the answer.
DISCARDED_FACTOR_MAX: Final = 8
# Answers are for whoever has the key, and are asked for anew each time.
CACHING: Final = {"cache-control": "private, no-cache", "vary": "authorization"}

Handler: TypeAlias = Callable[[Request, Caller], Awaitable[Response]]

_log = logging.getLogger(__name__)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class BoardDoors:
    """The endpoints; each parses, asks the store once, and renders."""

    def __init__(
        self,
        settings: BoardSettings,
        store: BoardStore,
        keys: KeyRing,
        clock: Clock,
        *,
        zone: ZoneInfo,
        metrics: BoardMetrics,
        http_metrics: HttpMetrics,
    ) -> None:
        """Take what is needed.

        Args:
            settings: Of this process.
            store: The public views.
            keys: Those that are valid now.
            clock: Tells the local day.
            zone: In which days are local.
            metrics: What was asked for.
            http_metrics: How it was answered.
        """
        self._settings = settings
        self._store = store
        self._keys = keys
        self._clock = clock
        self._zone = zone
        self._metrics = metrics
        self._http_metrics = http_metrics

    def routes(self) -> list[BaseRoute]:
        """Build the routes."""
        return [
            self._route("/v1/receipts", "POST", self._receipts),
            self._route("/v1/totals", "GET", self._totals),
            self._route("/v1/series", "GET", self._series),
            self._route("/v1/targets", "GET", self._targets),
            self._route("/v1/alerts", "GET", self._alerts),
        ]

    def _route(self, path: str, method: str, handler: Handler) -> BaseRoute:
        async def respond(request: Request) -> Response:
            began = time.monotonic()
            response = await self._answer(request, handler)
            self._http_metrics.requests.labels(path, response.status_code).inc()
            self._http_metrics.duration.labels(path).observe(time.monotonic() - began)
            return response

        return Route(path, respond, methods=[method])

    async def _answer(self, request: Request, handler: Handler) -> Response:
        try:
            return await handler(request, self._authenticate(request))
        except problems.EXPECTED as error:
            response = problems.problem_of(error)
            if response.status_code >= 500:  # noqa: PLR2004 -- HTTP's own classes
                _log.warning(
                    "read_failed",
                    extra={"route": request.url.path, "reason": str(error)},
                )
            return response

    def _authenticate(self, request: Request) -> Caller:
        given = request.headers.getlist("authorization")
        # Of two a proxy before us might have judged the other one.
        caller = self._keys.find(given[0]) if len(given) == 1 else None
        if caller is not None:
            return caller
        has_key = any(each.partition(" ")[2].strip() for each in given)
        self._metrics.denied.inc()
        _log.warning(
            "request_denied",
            extra={
                "route": request.url.path,
                "client": request.client.host if request.client else None,
                "reason": "the key is not valid" if has_key else "no key",
            },
        )
        raise problems.denied(has_key=has_key)

    def _today(self) -> date:
        return self._clock.now().astimezone(self._zone).date()

    async def _totals(self, request: Request, _: Caller) -> Response:
        question = ask_totals(request.query_params.multi_items(), self._today())
        return _tell(request, await self._store.totals(question))

    async def _series(self, request: Request, _: Caller) -> Response:
        question = ask_series(request.query_params.multi_items(), self._today())
        return _tell(request, await self._store.series(question))

    async def _targets(self, request: Request, _: Caller) -> Response:
        question = ask_targets(request.query_params.multi_items())
        return _tell(request, await self._store.targets(question))

    async def _alerts(self, request: Request, _: Caller) -> Response:
        question = ask_alerts(request.query_params.multi_items())
        return _tell(request, await self._store.alerts(question))

    async def _receipts(self, request: Request, caller: Caller) -> Response:
        if caller.agency is None:
            raise problems.not_an_agency()
        media_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if media_type.lower() != JSON:
            raise problems.wrong_media_type(media_type)
        try:
            asked = ReceiptsRequestV1.model_validate_json(await self._body(request))
        except ValidationError as error:
            raise problems.wrong_request(error) from error
        sources = [each.source for each in asked.events]
        foreign = find_foreign(caller.agency, sources)
        if foreign is not None:
            raise problems.source_not_yours(
                foreign, sources[foreign], caller.agency.sources
            )
        told = await self._store.receipts(asked.events, agency=caller.agency.id)
        for state, count in told.states.items():
            self._metrics.receipts.labels(state.value).inc(count)
        # Receipts hold no decimals, and there may be a thousand of them.
        return Response(told.model_dump_json(), media_type=JSON, headers=dict(CACHING))

    async def _body(self, request: Request) -> bytes:
        limit = self._settings.body_bytes_max
        seconds_max = self._settings.body_seconds_max
        body, received = bytearray(), 0
        try:
            async with asyncio.timeout(seconds_max):
                async for chunk in request.stream():
                    received += len(chunk)
                    if received <= limit:
                        body += chunk
                    elif received > limit * DISCARDED_FACTOR_MAX:
                        break
        except ClientDisconnect as error:
            raise problems.cut_short() from error
        except TimeoutError as error:
            raise problems.too_slow_body(seconds_max) from error
        if received > limit:
            raise problems.too_large(limit)
        return bytes(body)


def make_app(
    doors: BoardDoors, readiness: Readiness, registry: CollectorRegistry
) -> Starlette:
    """Build the service's HTTP application; whatever goes wrong is a problem."""
    app = Starlette(
        routes=[*doors.routes(), *probe_routes(readiness, registry)],
        exception_handlers={404: _not_found, 405: _wrong_method, Exception: _bug},
    )
    # An answer that leads elsewhere would take the key along.
    app.router.redirect_slashes = False
    return app


async def _not_found(request: Request, _: Exception) -> Response:
    return problems.not_found(request.url.path)


async def _wrong_method(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problems.wrong_method((error.headers or {}).get("Allow", ""))


async def _bug(_request: Request, _error: Exception) -> Response:
    # The server logs it with its traceback.
    return problems.bug()


def _tell(request: Request, answer: BaseModel) -> Response:
    """Render an answer with exact figures; only its tag where the asker has it."""
    body = _encoder.encode(answer.model_dump())
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**CACHING, "etag": tag}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or tag in (each.strip() for each in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)
