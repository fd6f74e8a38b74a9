"""The board's real doors, asked without a socket and without a database."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.types import Message
from typing_extensions import override

from services.board.core.callers import Caller, KeyRing
from services.board.core.questions import (
    AlertsQuestion,
    SeriesQuestion,
    TargetsQuestion,
    TotalsQuestion,
)
from services.board.settings import BoardSettings
from services.board.store import BoardStore
from services.board.web import BoardDoors, make_app
from shared.catalogue.model import Agency
from shared.events import openapi_board_examples as examples
from shared.events.board_v1 import AlertsV1, SeriesV1, TargetsV1, TotalsV1
from shared.events.receipts_v1 import AskedEventV1, ReceiptsV1
from shared.http import Readiness
from shared.metrics import BoardMetrics, HttpMetrics, new_registry

PROJECT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 21, 5, tzinfo=UTC)
BANK_KEY, READER_KEY = "key-of-the-bank", "key-of-a-reader"
BANK = Agency(
    id="bank",
    name="A bank",
    sources=("/vn/38/bank", "/vn/38/old"),
    indicators=frozenset({"cashless_accounts"}),
    locality="38",
)

ModelT = TypeVar("ModelT", bound=BaseModel)


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return noon of the day of all examples."""
        return NOON


class ExampleStore(BoardStore):
    """Views that hold what the document's examples say, or fail in one way."""

    def __init__(self, settings: BoardSettings, failure: Exception | None) -> None:
        super().__init__(settings)
        self._failure = failure

    def _tell(self, model: type[ModelT], of: dict[str, dict[str, object]]) -> ModelT:
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
        return self._tell(TotalsV1, examples.TOTALS)

    @override
    async def series(self, question: SeriesQuestion) -> SeriesV1:
        """Tell the example."""
        return self._tell(SeriesV1, examples.SERIES)

    @override
    async def targets(self, question: TargetsQuestion) -> TargetsV1:
        """Tell the example."""
        return self._tell(TargetsV1, examples.TARGETS)

    @override
    async def alerts(self, question: AlertsQuestion) -> AlertsV1:
        """Tell the example."""
        return self._tell(AlertsV1, examples.ALERTS)


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


def make_board(
    *, failure: Exception | None = None, **limits: object
) -> tuple[Starlette, KeyRing, CollectorRegistry]:
    """Build the board's application with an agency's key and a reader's.

    Args:
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
    keys = KeyRing(
        {
            digest(BANK_KEY): Caller(BANK, "agency:bank"),
            digest(READER_KEY): Caller(None, "reader:dashboard"),
        }
    )
    registry = new_registry()
    doors = BoardDoors(
        settings,
        ExampleStore(settings, failure),
        keys,
        Noon(),
        zone=ZoneInfo("Asia/Ho_Chi_Minh"),
        metrics=BoardMetrics(registry),
        http_metrics=HttpMetrics(registry),
    )
    return make_app(doors, Readiness(), registry), keys, registry


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
