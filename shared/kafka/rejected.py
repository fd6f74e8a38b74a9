"""What stands on `uptake.rejected`: records that were not applied, and their ends.

The topic only grows, so nothing here holds it in memory: states are kept in a private
temporary database that SQLite spills to the temporary folder.
"""

import base64
import binascii
import hashlib
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from pydantic import ValidationError

from shared.errors import FatalError
from shared.events.rejected_v1 import RejectedDataV1, RejectedV1
from shared.events.settled_v1 import (
    REJECTED_MESSAGES,
    RedrivenV1,
    RejectedMessage,
    RejectedState,
)
from shared.events.topics import EVENTS, REJECTED, SUBMISSIONS
from shared.kafka.whole_topic import open_topic
from shared.settings import KafkaSettings

CACHE_KIB: Final = 16 * 1024
_Mark = tuple[RejectedState, str | None, str | None]
_COORDINATES: Final = re.compile(r"(?:(.+)/)?(\d{1,9})/(\d{1,18})", re.ASCII)

_CREATE: Final = """
CREATE TABLE record (
    id TEXT PRIMARY KEY, partition INTEGER, log_offset INTEGER, code TEXT,
    agency TEXT, logged_at TEXT, state TEXT, reason TEXT, sent_to TEXT
) WITHOUT ROWID
"""
# Published at least once, so a record may come again, also behind its mark.
_ADD: Final = """
INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, 'open', NULL, NULL)
ON CONFLICT (id) DO NOTHING
"""
_MARK: Final = "UPDATE record SET state = ?, reason = ?, sent_to = ? WHERE id = ?"
_SELECT: Final = """
SELECT id, partition, log_offset, code, agency, logged_at, state, reason, sent_to
FROM record
WHERE (:code IS NULL OR code = :code) AND (:agency IS NULL OR agency = :agency)
    AND (:since IS NULL OR logged_at >= :since) AND (:state IS NULL OR state = :state)
"""
_COUNT: Final = f"SELECT state, count(*) FROM ({_SELECT}) GROUP BY state"  # noqa: S608 -- our own constant
_NEWEST: Final = f"{_SELECT} ORDER BY logged_at DESC, id DESC LIMIT :limit"
_ONE: Final = f"{_SELECT} AND id = :id"


@dataclass(frozen=True, slots=True)
class RejectedFilter:
    """Which records are meant; None means any.

    Attributes:
        since: Only what was logged then or later; aware.
    """

    code: str | None = None
    agency: str | None = None
    since: datetime | None = None
    state: RejectedState | None = None

    def parameters(self) -> dict[str, str | None]:
        """Return the parameters of a query."""
        return {
            "code": self.code,
            "agency": self.agency,
            "since": None if self.since is None else _sortable(self.since),
            "state": self.state,
        }


ANY: Final = RejectedFilter()


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A rejected record, without its bytes.

    Attributes:
        id: Topic, partition and offset.
        agency: Whose it was; None if that cannot be told.
        reason: Why it was dropped.
        sent_to: Where its bytes lie since it was redriven, partition/offset.
    """

    id: str
    partition: int
    offset: int
    code: str
    agency: str | None
    logged_at: datetime
    state: RejectedState
    reason: str | None
    sent_to: str | None


class RejectedIndex:
    """Rejected records by id with their states; of any number, in bounded memory."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        # Nothing in it outlives this process.
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(_CREATE)
        self._database.execute("BEGIN")

    def add(self, message: RejectedMessage) -> None:
        """Take a message of the topic, in the topic's order.

        Raises:
            FatalError: The temporary folder is full.
        """
        try:
            self._add(message)
        except sqlite3.OperationalError as error:
            raise FatalError(
                f"rejected records cannot be sorted in the temporary folder: {error}; "
                "make room"
            ) from error

    def _add(self, message: RejectedMessage) -> None:
        if isinstance(message, RejectedV1):
            data = message.data
            row = (
                message.id,
                data.partition,
                data.offset,
                data.code,
                agency_of(data),
                _sortable(data.logged_at),
            )
            self._database.execute(_ADD, row)
            return
        if isinstance(message, RedrivenV1):
            sent_to = f"{message.data.partition}/{message.data.offset}"
            mark: _Mark = (RejectedState.REDRIVEN, None, sent_to)
        else:
            mark = (RejectedState.DROPPED, message.data.reason, None)
        self._database.execute(_MARK, (*mark, message.data.record))

    def count(self, wanted: RejectedFilter) -> dict[RejectedState, int]:
        """Count the records that are meant, by state; each state is named."""
        rows = self._database.execute(_COUNT, wanted.parameters())
        found = {RejectedState(state): int(count) for state, count in rows}
        return {state: found.get(state, 0) for state in RejectedState}

    def newest(self, wanted: RejectedFilter, rows_max: int) -> Iterator[RejectedRow]:
        """Yield the records that are meant, the latest first, at most so many."""
        parameters = {**wanted.parameters(), "limit": rows_max}
        for row in self._database.execute(_NEWEST, parameters):
            yield _row(row)

    def find(self, record: str, wanted: RejectedFilter = ANY) -> RejectedRow | None:
        """Return a record by its id, if it is among those that are meant."""
        parameters = {**wanted.parameters(), "id": record}
        row = self._database.execute(_ONE, parameters).fetchone()
        return None if row is None else _row(row)

    def __enter__(self) -> Self:
        """Use it for one command."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget everything."""
        self._database.close()


async def read_index(settings: KafkaSettings, index: RejectedIndex) -> None:
    """Fill an index with the whole topic.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: The topic is not there, or the temporary folder is full.
    """
    async with open_rejected(settings) as messages:
        async for message in messages:
            index.add(message)


@asynccontextmanager
async def open_rejected(
    settings: KafkaSettings,
) -> AsyncIterator[AsyncIterator[RejectedMessage]]:
    """Open the topic to read it once; what this version does not know is left out.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: The topic is not there.
    """

    async def read() -> AsyncIterator[RejectedMessage]:
        async for record in records:
            message = decode_message(record.value)
            if message is not None:
                yield message

    async with open_topic(settings, REJECTED) as records:
        yield read()


def decode_message(value: bytes | None) -> RejectedMessage | None:
    """Decode a message; None where a later version, or another program, wrote it."""
    try:
        return REJECTED_MESSAGES.validate_json(value or b"")
    except ValidationError:
        return None


def record_of(data: RejectedDataV1) -> tuple[bytes | None, bytes] | None:
    """Return a rejected record's key and value, unchanged.

    Returns:
        None where the message does not hold them: of personal data it has only the
        hash.
    """
    try:
        value = base64.b64decode(data.bytes, validate=True)
        key = None if data.key is None else base64.b64decode(data.key, validate=True)
    except binascii.Error:
        return None
    if hashlib.sha256(value).hexdigest() != data.sha256:
        return None
    return key, value


def agency_of(data: RejectedDataV1) -> str | None:
    """Return whose record it was, if that can be told.

    The key of an admitted event is its agency; what was refused in an agency's own
    topic is known by the topic.
    """
    if data.topic.startswith(SUBMISSIONS):
        return data.topic.removeprefix(SUBMISSIONS)
    try:
        return None if data.key is None else base64.b64decode(data.key).decode()
    except ValueError:
        return None


def parse_coordinates(words: Sequence[str]) -> tuple[str, ...]:
    """Turn PARTITION/OFFSET into ids; whole ids, with the topic, are taken too.

    Returns:
        Each id once, in the order given.

    Raises:
        FatalError: A word is neither.
    """
    found: dict[str, None] = {}
    for word in words:
        match = _COORDINATES.fullmatch(word)
        if match is None:
            raise FatalError(f"{word!r} is no PARTITION/OFFSET like 3/1249")
        topic, partition, offset = match.groups()
        found[f"{topic or EVENTS}/{int(partition)}/{int(offset)}"] = None
    return tuple(found)


def place_of(record: str) -> str:
    """Return an id as people write it: without the topic where that is the log."""
    return record.removeprefix(f"{EVENTS}/")


def _sortable(instant: datetime) -> str:
    """Write an instant so that texts sort as instants do."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def _row(row: tuple[str, int, int, str, str | None, str, str, str, str]) -> RejectedRow:
    record, partition, offset, code, agency, logged_at, state, reason, sent_to = row
    return RejectedRow(
        id=record,
        partition=partition,
        offset=offset,
        code=code,
        agency=agency,
        logged_at=datetime.fromisoformat(logged_at),
        state=RejectedState(state),
        reason=reason,
        sent_to=sent_to,
    )
