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
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.board.core.callers import Caller, NotYoursError, receipts_agency
from services.board.core.questions import (
    ask_alerts,
    ask_series,
    ask_targets,
    ask_totals,
)
from services.board.core.reach import may_see, narrow_levels, narrow_rows
from services.board.guard import Guard
from services.board.settings import BoardSettings
from services.board.store import BoardStore
from services.board.web import problems
from shared.catalogue.model import Agency, LocalityKey, Tree
from shared.clock import Clock
from shared.events.receipts_v1 import EventReceiptV1, ReceiptsRequestV1
from shared.http import Readiness, make_application, probe_routes
from shared.metrics import BoardMetrics, HttpMetrics

JSON: Final = "application/json"
# What is too long is still read for a while and thrown away: a sender whose
# connection is cut while it sends would never see the answer.
DISCARDED_FACTOR_MAX: Final = 8
# Answers are for whoever has the key, and are asked for anew each time.
CACHING: Final = {"cache-control": "private, no-cache", "vary": "authorization"}

WITHHELD: Final = dict.fromkeys(
    ("type", "indicator", "locality", "valid_from", "day", "count", "amount")
)

Handler: TypeAlias = Callable[[Request, Caller], Awaitable[Response]]

_log = logging.getLogger(__name__)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class BoardDoors:
    """The endpoints; each parses, asks the store once, and renders."""

    def __init__(
        self,
        settings: BoardSettings,
        store: BoardStore,
        guard: Guard,
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
            guard: Knows who may ask, and for what.
            clock: Tells the local day.
            zone: In which days are local.
            metrics: What was asked for.
            http_metrics: How it was answered.
        """
        self._settings = settings
        self._store = store
        self._guard = guard
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
            return await self._let_in(request, handler)
        except problems.EXPECTED as error:
            response = problems.problem_of(error)
            if response.status_code >= 500:  # noqa: PLR2004 -- HTTP's own classes
                _log.warning(
                    "read_failed",
                    extra={"route": request.url.path, "reason": str(error)},
                )
            return response

    async def _let_in(self, request: Request, handler: Handler) -> Response:
        caller = self._guard.admit(request)
        try:
            return await handler(request, caller)
        except NotYoursError as error:
            self._guard.note_not_yours(request, caller, error)
            raise

    @property
    def _tree(self) -> Tree:
        return self._guard.catalogue.tree

    def _today(self) -> date:
        return self._clock.now().astimezone(self._zone).date()

    async def _totals(self, request: Request, caller: Caller) -> Response:
        asked = ask_totals(request.query_params.multi_items(), self._today())
        question = narrow_levels(asked, caller.agency, self._tree, asked.borders_on)
        return _tell(request, await self._store.totals(question))

    async def _series(self, request: Request, caller: Caller) -> Response:
        asked = ask_series(request.query_params.multi_items(), self._today())
        question = narrow_levels(asked, caller.agency, self._tree, asked.to)
        return _tell(request, await self._store.series(question))

    async def _targets(self, request: Request, caller: Caller) -> Response:
        asked = ask_targets(request.query_params.multi_items())
        question = narrow_rows(asked, caller.agency, self._tree, self._today())
        return _tell(request, await self._store.targets(question))

    async def _alerts(self, request: Request, caller: Caller) -> Response:
        asked = ask_alerts(request.query_params.multi_items())
        question = narrow_rows(asked, caller.agency, self._tree, self._today())
        return _tell(request, await self._store.alerts(question))

    async def _receipts(self, request: Request, caller: Caller) -> Response:
        # Before its body is read.
        receipts_agency(caller, ())
        media_type = request.headers.get("content-type", "").partition(";")[0].strip()
        if media_type.lower() != JSON:
            raise problems.wrong_media_type(media_type)
        try:
            asked = ReceiptsRequestV1.model_validate_json(await self._body(request))
        except ValidationError as error:
            raise problems.wrong_request(error) from error
        # A body may take longer than its key is valid.
        caller = self._guard.admit(request)
        agency = receipts_agency(caller, [each.source for each in asked.events])
        told = await self._store.receipts(asked.events, agency=agency.id)
        for state, count in told.states.items():
            self._metrics.receipts.labels(state.value).inc(count)
        # Receipts hold no decimals, and there may be a thousand of them.
        shown = told.model_copy(
            update={"receipts": [self._shown(each, agency) for each in told.receipts]}
        )
        return Response(shown.model_dump_json(), media_type=JSON, headers=dict(CACHING))

    def _shown(self, receipt: EventReceiptV1, agency: Agency) -> EventReceiptV1:
        """Leave out the figures of what the key is not bound to; its state is told."""
        code, since = receipt.locality, receipt.valid_from
        is_seen = may_see(
            agency,
            self._tree,
            indicator=receipt.indicator,
            unit=None if code is None or since is None else LocalityKey(code, since),
            day=receipt.day,
        )
        return receipt if is_seen else receipt.model_copy(update=WITHHELD)

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
    return make_application([*doors.routes(), *probe_routes(readiness, registry)])


def _tell(request: Request, answer: BaseModel) -> Response:
    """Render an answer with exact figures; only its tag where the asker has it."""
    body = _encoder.encode(answer.model_dump())
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**CACHING, "etag": tag}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or tag in (each.strip() for each in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=JSON, headers=headers)
