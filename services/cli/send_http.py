"""Delivers batches of events to ingest, again and again until it answers.

A batch is sent again with the same ids after every failure that leaves its fate
unknown; ingest and aggregation make the repetition harmless.
"""

import asyncio
import http
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp
import msgspec

from services.cli.send_plan import ReadyRow, RefusedRow
from shared.backoff import delays_seconds
from shared.errors import UptakeError

CONCURRENCY: Final = 4
REQUEST_SECONDS_MAX: Final = 60.0
CONNECT_SECONDS_MAX: Final = 10.0
RETRY_AFTER_SECONDS_MAX: Final = 30.0
BATCH_TYPE: Final = "application/cloudevents-batch+json"
PATH: Final = "/v1/events"
# Said of one event that is too large even alone; ingest answers it with 413.
TOO_LARGE: Final = "too_large"

_LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class SendStoppedError(UptakeError):
    """Ingest does not take what we send, or does not answer; one line that says why."""


class _Named(msgspec.Struct, frozen=True):
    """One refused event of a receipt or a problem."""

    index: int
    code: str
    detail: str = ""


class _Answer(msgspec.Struct, frozen=True):
    """What we read of a receipt or of a problem (RFC 9457)."""

    received: int = 0
    accepted: int = 0
    refused: list[_Named] = []
    errors: list[_Named] = []
    title: str = ""
    detail: str = ""

    @property
    def named(self) -> list[_Named]:
        """The events that the answer names as refused."""
        return self.refused or self.errors

    def say(self, status: int) -> str:
        """Say the answer in one line."""
        words = [part for part in (self.title, self.detail) if part]
        return f"{status} {': '.join(words) or _phrase(status)}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch.

    Attributes:
        accepted: Rows accepted now.
        refused: Rows turned away, by number.
        before: Rows accepted already before the sending was interrupted.
    """

    accepted: int
    refused: tuple[RefusedRow, ...]
    before: int = 0


def make_session(key: str | None) -> aiohttp.ClientSession:
    """Open a session for one command; the caller closes it.

    Args:
        key: The agency's key, if it has one.
    """
    headers = {"Content-Type": BATCH_TYPE}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return aiohttp.ClientSession(
        headers=headers,
        connector=aiohttp.TCPConnector(limit=CONCURRENCY),
        timeout=aiohttp.ClientTimeout(
            total=REQUEST_SECONDS_MAX, connect=CONNECT_SECONDS_MAX
        ),
    )


class IngestDoor:
    """The one way in; delivers batches at least once, under stable ids."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        is_dry_run: bool,
        patience_seconds: float,
        on_wait: Callable[[str], None],
    ) -> None:
        """Name the door; nothing is sent.

        Args:
            session: From `make_session`.
            url: Address of ingest, without a path.
            is_dry_run: Only have the events checked.
            patience_seconds: How long a batch is tried before we give up.
            on_wait: Told in one line why and how long we wait.
        """
        self._session = session
        self._address = url.rstrip("/") + PATH
        self._params = {"dry_run": "true"} if is_dry_run else {}
        self._patience_seconds = patience_seconds
        self._on_wait = on_wait

    async def deliver(self, rows: Sequence[ReadyRow]) -> Outcome:
        """Have every row of a batch accepted or refused.

        Raises:
            SendStoppedError: The rest of the file would fare no better.
        """
        accepted = 0
        refused: list[RefusedRow] = []
        waiting = [tuple(rows)] if rows else []
        while waiting:
            part = waiting.pop()
            status, answer = await self._post(part)
            if status == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE and len(part) > 1:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
                continue
            named = _refusals(status, answer, part)
            refused += named.values()
            if status in {http.HTTPStatus.OK, http.HTTPStatus.ACCEPTED}:
                accepted += len(part) - len(named)
                continue
            # Refused as a whole because of some: the others are sent without them.
            rest = tuple(row for at, row in enumerate(part) if at not in named)
            if rest:
                waiting.append(rest)
        return Outcome(accepted, tuple(sorted(refused, key=lambda row: row.number)))

    async def _post(self, rows: Sequence[ReadyRow]) -> tuple[int, _Answer]:
        """Send until there is an answer that settles it.

        Raises:
            SendStoppedError: There was none in time, or it is not ingest's.
        """
        body = b"[" + b",".join(row.body for row in rows) + b"]"
        started = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            wait_seconds = delays_seconds(attempt)
            try:
                status, asked, raw = await self._post_once(body)
            except (aiohttp.ClientError, TimeoutError) as error:
                reason = self._say_failure(error)
            else:
                if status not in _LATER:
                    return status, _decode(status, raw, self._address)
                reason = f"ingest answers {_decode_problem(raw).say(status)}"
                if asked.isdecimal():
                    wanted = min(float(asked[:6]), RETRY_AFTER_SECONDS_MAX)
                    wait_seconds = max(wait_seconds, wanted)
            if time.monotonic() - started >= self._patience_seconds:
                raise SendStoppedError(
                    f"gave up after {self._patience_seconds:g} s: {reason}"
                )
            self._on_wait(f"{reason}; next try in {wait_seconds:.1f} s")
            await asyncio.sleep(wait_seconds)

    async def _post_once(self, body: bytes) -> tuple[int, str, bytes]:
        """Send once; return status, Retry-After and body."""
        async with self._session.post(
            self._address, data=body, params=self._params, allow_redirects=False
        ) as response:
            asked = response.headers.get("Retry-After", "")
            return response.status, asked, await response.read()

    def _say_failure(self, error: aiohttp.ClientError | TimeoutError) -> str:
        """Say what stood between us and an answer.

        Raises:
            SendStoppedError: It will stand there for ever.
        """
        if isinstance(error, aiohttp.InvalidURL | aiohttp.ClientSSLError):
            raise SendStoppedError(
                f"cannot send to {self._address}: {error}"
            ) from error
        if isinstance(error, aiohttp.ClientConnectorError):
            reason = (error.os_error.strerror or str(error.os_error)).lower()
            return f"cannot connect to {self._address}: {reason}"
        what = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        return f"connection to {self._address} lost: {what or type(error).__name__}"


def read_receipt(raw: bytes, rows: Sequence[ReadyRow]) -> Outcome:
    """Read a receipt that stands alone, all rows refused or not.

    Raises:
        SendStoppedError: It is none, or contradicts itself.
    """
    answer = _decode(http.HTTPStatus.ACCEPTED, raw, "the check")
    named = _refusals(http.HTTPStatus.ACCEPTED, answer, rows)
    refused = sorted(named.values(), key=lambda row: row.number)
    return Outcome(answer.accepted, tuple(refused))


def _refusals(
    status: int, answer: _Answer, rows: Sequence[ReadyRow]
) -> dict[int, RefusedRow]:
    """Return the refused rows by their place in the batch.

    Raises:
        SendStoppedError: The answer is about the request, not about its events, or
            contradicts itself.
    """
    if status == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return {0: rows[0].refuse(TOO_LARGE, answer.detail)}
    is_receipt = status in {http.HTTPStatus.OK, http.HTTPStatus.ACCEPTED}
    named = {
        one.index: rows[one.index].refuse(one.code, one.detail)
        for one in answer.named
        if 0 <= one.index < len(rows)
    }
    if is_receipt and (answer.received, answer.accepted) != (
        len(rows),
        len(rows) - len(named),
    ):
        raise SendStoppedError(
            f"the receipt does not add up: {len(rows)} sent, {answer.received} "
            f"received, {answer.accepted} accepted, {len(answer.named)} refused"
        )
    if not is_receipt and not named:
        raise SendStoppedError(f"ingest answers {answer.say(status)}{_remedy(status)}")
    return named


def _remedy(status: int) -> str:
    if status == http.HTTPStatus.UNAUTHORIZED:
        return "; set UPTAKE_KEY to your agency's key"
    if status == http.HTTPStatus.NOT_FOUND or status in range(300, 400):
        return "; is --url (UPTAKE_URL) the address of ingest?"
    return ""


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "(unknown status)"


def _decode(status: int, raw: bytes, address: str) -> _Answer:
    if status not in {http.HTTPStatus.OK, http.HTTPStatus.ACCEPTED}:
        return _decode_problem(raw)
    try:
        return msgspec.json.decode(raw, type=_Answer)
    except msgspec.MsgspecError as error:
        raise SendStoppedError(
            f"{address} answers {status} without a receipt: is it Uptake's ingest?"
        ) from error


def _decode_problem(raw: bytes) -> _Answer:
    """Read a problem; a proxy's page of HTML is one without words."""
    try:
        return msgspec.json.decode(raw, type=_Answer)
    except msgspec.MsgspecError:
        return _Answer()
