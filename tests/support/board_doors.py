"""The board's real doors, asked without a socket and without a database."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.types import Message
from typing_extensions import override

from services.board.core.questions import (
    AlertsQuestion,
    SeriesQuestion,
    TargetsQuestion,
    TotalsQuestion,
)
from services.board.guard import Guard, ReaderWatch
from services.board.settings import BoardSettings
from services.board.store import BoardStore
from services.board.web import BoardDoors, make_app
from shared.catalogue.model import Agency, AgencyKey
from shared.catalogue.watch import AgencyWatch
from shared.events import openapi_board_examples as examples
from shared.events.board_v1 import AlertsV1, SeriesV1, TargetsV1, TotalsV1
from shared.events.receipts_v1 import AskedEventV1, ReceiptsV1
from shared.http import Readiness
from shared.metrics import AgencyMetrics, BoardMetrics, HttpMetrics, new_registry
from shared.readers import Reader
from tests.unit.ingest.doors import make_catalogue

PROJECT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 21, 5, tzinfo=UTC)
BANK_KEY, READER_KEY = "key-of-the-bank", "key-of-a-reader"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
BANK = Agency(
    id="bank",
    name="A bank",
    sources=("/vn/38/bank", "/vn/38/old"),
    indicators=frozenset({"cashless_accounts", "ecommerce_transactions"}),
    locality="38",
)
OTHER = Agency(
    id="other",
    name="Another one",
    sources=("/vn/38/other",),
    indicators=frozenset({"eid_accounts"}),
    locality="VN",
)
Question: TypeAlias = TotalsQuestion | SeriesQuestion | TargetsQuestion | AlertsQuestion

ModelT = TypeVar("ModelT", bound=BaseModel)


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return noon of the day of all examples."""
        return NOON


class ExampleStore(BoardStore):
    """Views that hold what the document's examples say, or fail in one way.

    Attributes:
        asked: The questions, in the order of asking.
    """

    def __init__(self, settings: BoardSettings, failure: Exception | None) -> None:
        super().__init__(settings)
        self._failure = failure
        self.asked: list[Question] = []

    def _tell(
        self,
        model: type[ModelT],
        of: dict[str, dict[str, object]],
        question: Question | None = None,
    ) -> ModelT:
        if question is not None:
            self.asked.append(question)
        if self._failure is not None:
            raise self._failure
        (example,) = of.values()
        return model.model_validate(example)

    @override
    async def receipts(
        self, asked: Sequence[AskedEventV1], *, agency: str
    ) -> ReceiptsV1:
        """Tell the example."""
        assert agency == BANK.id
        return self._tell(ReceiptsV1, examples.RECEIPTS)

    @override
    async def totals(self, question: TotalsQuestion) -> TotalsV1:
        """Tell the example."""
        return self._tell(TotalsV1, examples.TOTALS, question)

    @override
    async def series(self, question: SeriesQuestion) -> SeriesV1:
        """Tell the example."""
        return self._tell(SeriesV1, examples.SERIES, question)

    @override
    async def targets(self, question: TargetsQuestion) -> TargetsV1:
        """Tell the example."""
        return self._tell(TargetsV1, examples.TARGETS, question)

    @override
    async def alerts(self, question: AlertsQuestion) -> AlertsV1:
        """Tell the example."""
        return self._tell(AlertsV1, examples.ALERTS, question)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked; the body None stands for a sender who hangs up."""

    path: str
    query: str = ""
    method: str = "GET"
    key: str | None = READER_KEY
    body: bytes | None = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0]

    def json(self) -> Any:  # noqa: ANN401 -- JSON can be anything
        """Parse the body."""
        return json.loads(self.body)


def digest(key: str) -> str:
    """Return what a file holds of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def with_keys(agency: Agency, *keys: AgencyKey) -> Agency:
    """Give an agency these keys."""
    return replace(agency, keys=keys)


BANK_WITH_KEY = with_keys(BANK, AgencyKey("key-1", digest(BANK_KEY)))
DASHBOARD = Reader(
    "dashboard", "A dashboard", (AgencyKey("key-1", digest(READER_KEY)),)
)


@dataclass(frozen=True, slots=True)
class ExampleBoard:
    """The board's application, and what is behind it."""

    app: Starlette
    guard: Guard
    readers: ReaderWatch
    registry: CollectorRegistry
    store: ExampleStore


def open_board(
    *agencies: Agency, failure: Exception | None = None, **limits: object
) -> ExampleBoard:
    """Build the board's application for some agencies and one reader.

    Args:
        agencies: With their keys.
        failure: What each read raises.
        limits: Settings that are not as shipped.
    """
    settings = BoardSettings.model_validate(
        {
            "catalogue": PROJECT / "deploy",
            "postgres_dsn": "postgresql://nobody@127.0.0.1:9/x",
            **limits,
        }
    )
    registry = new_registry()
    metrics = BoardMetrics(registry)
    watch = AgencyWatch(
        settings.catalogue,
        replace(make_catalogue(), agencies={each.id: each for each in agencies}),
        Noon(),
        metrics=AgencyMetrics(registry),
        poll_seconds=settings.agencies_poll_seconds,
    )
    readers = ReaderWatch(Noon(), zone=ZONE, agencies=lambda: agencies)
    readers.take([DASHBOARD])
    guard = Guard(
        watch, readers, metrics, audit_lines_per_minute=settings.audit_lines_per_minute
    )
    store = ExampleStore(settings, failure)
    doors = BoardDoors(
        settings,
        store,
        guard,
        Noon(),
        zone=ZONE,
        metrics=metrics,
        http_metrics=HttpMetrics(registry),
    )
    app = make_app(doors, Readiness(), registry)
    return ExampleBoard(app, guard, readers, registry, store)


def make_board(*, failure: Exception | None = None, **limits: object) -> Starlette:
    """Build the board's application for the bank and the dashboard."""
    return open_board(BANK_WITH_KEY, OTHER, failure=failure, **limits).app


async def ask(
    app: Starlette, asked: Ask, *, receive: Callable[[], Any] | None = None
) -> Told:
    """Ask as a server would, and collect the answer."""
    headers = [(b"content-type", asked.content_type.encode())]
    if asked.key is not None:
        headers.append((b"authorization", f"Bearer {asked.key}".encode()))
    headers += [(name.encode(), value.encode()) for name, value in asked.headers]
    scope = {
        "type": "http",
        "method": asked.method,
        "path": asked.path,
        "query_string": asked.query.encode(),
        "headers": headers,
        "client": ("192.0.2.7", 4711),
    }
    sent: list[Message] = []

    async def receive_body() -> Message:
        if asked.body is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive or receive_body, send)
    start, *rest = sent
    return Told(
        status=start["status"],
        headers={name.decode(): value.decode() for name, value in start["headers"]},
        body=b"".join(part.get("body", b"") for part in rest),
    )
