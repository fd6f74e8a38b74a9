"""Asks the board what became of events: for `uptake event`, and after sending."""

import http
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
import msgspec
from pydantic import ValidationError

from shared.errors import FatalError, TransientError
from shared.events.receipts_v1 import (
    ASKED_MAX,
    AskedEventV1,
    EventReceiptV1,
    ReceiptsRequestV1,
    ReceiptsV1,
)

PATH: Final = "/v1/receipts"
REQUEST_SECONDS_MAX: Final = 30.0
DEFAULT_URL: Final = "http://127.0.0.1:8083"


class _Problem(msgspec.Struct, frozen=True):
    """What we read of a problem (RFC 9457)."""

    title: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What the board answered once.

    Attributes:
        answered_at: When, by its own clock, in whole seconds; None if it does not say.
    """

    receipts: ReceiptsV1
    answered_at: datetime | None


async def ask_receipts(
    session: aiohttp.ClientSession,
    url: str,
    key: str,
    asked: Sequence[AskedEventV1],
) -> ReceiptsV1:
    """Ask the board what became of events of the agency that has the key.

    Args:
        session: The caller's.
        url: Address of the board, without a path.
        key: The agency's.
        asked: Any number, at least one; asked a thousand at a time. Each part is of
            one moment, and what is said of all of them holds for the earliest.

    Returns:
        A receipt for each, in the same order.

    Raises:
        TransientError: The board does not answer, or cannot read for now; ask again.
        FatalError: It refuses to answer; one line that says why.
    """
    receipts: list[EventReceiptV1] = []
    parts = []
    for first in range(0, len(asked), ASKED_MAX):
        page = await ask_page(session, url, key, asked[first : first + ASKED_MAX])
        receipts += page.receipts.receipts
        parts.append(page.receipts)
    return ReceiptsV1(
        complete_up_to=_earliest([part.complete_up_to for part in parts]),
        kept_since=max((p.kept_since for p in parts if p.kept_since), default=None),
        states=dict(Counter(receipt.state for receipt in receipts)),
        receipts=receipts,
    )


async def ask_page(
    session: aiohttp.ClientSession,
    url: str,
    key: str,
    asked: Sequence[AskedEventV1],
    *,
    seconds_max: float = REQUEST_SECONDS_MAX,
) -> Page:
    """Ask once, about 1 to `ASKED_MAX` events; see `ask_receipts`."""
    request = ReceiptsRequestV1(events=list(asked))
    try:
        async with session.post(
            url.rstrip("/") + PATH,
            data=request.model_dump_json(exclude_none=True).encode(),
            headers={
                "authorization": f"Bearer {key}",
                "content-type": "application/json",
            },
            timeout=aiohttp.ClientTimeout(total=seconds_max),
        ) as answer:
            status, body = answer.status, await answer.read()
            answered_at = _read_date(answer.headers.get("Date", ""))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise TransientError(
            f"the board at {url} does not answer: {reason}; UPTAKE_BOARD_URL is its "
            "address"
        ) from error
    if status != http.HTTPStatus.OK:
        said = f"the board answers {status} {_say(body)}".rstrip()
        if status in {http.HTTPStatus.SERVICE_UNAVAILABLE, http.HTTPStatus.BAD_GATEWAY}:
            raise TransientError(said)
        raise FatalError(said)
    try:
        told = ReceiptsV1.model_validate_json(body)
    except ValidationError as error:
        raise FatalError(f"{url} is not the address of a board") from error
    if len(told.receipts) != len(asked):
        raise FatalError(
            f"the board told {len(told.receipts)} receipts of {len(asked)} events"
        )
    return Page(told, answered_at)


def _read_date(text: str) -> datetime | None:
    """Read the field Date (RFC 9110); None where there is none."""
    try:
        read = parsedate_to_datetime(text)
    except ValueError:
        return None
    return read.astimezone(UTC)


def _say(body: bytes) -> str:
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except msgspec.DecodeError:
        return ""
    return ": ".join(part for part in (problem.title, problem.detail) if part)


def _earliest(instants: Sequence[datetime | None]) -> datetime | None:
    """Return the first of all; None where one is not known."""
    known = [instant for instant in instants if instant is not None]
    return min(known) if len(known) == len(instants) else None
