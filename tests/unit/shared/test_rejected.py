"""Rejected records: their states, whatever the order, and their bytes."""

import base64
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import FatalError
from shared.events.rejected_v1 import RejectedDataV1, RejectedV1
from shared.events.settled_v1 import (
    DroppedDataV1,
    DroppedV1,
    RedrivenDataV1,
    RedrivenV1,
    RejectedMessage,
    RejectedState,
)
from shared.kafka.rejected import (
    RejectedFilter,
    RejectedIndex,
    decode_message,
    parse_coordinates,
    place_of,
    record_of,
)

NOON = datetime(2026, 11, 21, 5, tzinfo=UTC)
FIRST, SECOND = "uptake.events/3/7", "uptake.events/0/12"


def rejected(
    record: str = FIRST, *, code: str = "unreadable", key: bytes | None = b"bank"
) -> RejectedV1:
    """Make the message of a rejected record; a later offset is a later record."""
    topic, partition, offset = record.split("/")
    at = NOON + timedelta(minutes=int(offset))
    return RejectedV1(
        id=record,
        source="/uptake/aggregation",
        time=at,
        data=RejectedDataV1(
            code=code,
            detail="because",
            topic=topic,
            partition=int(partition),
            offset=int(offset),
            logged_at=at,
            key=None if key is None else base64.b64encode(key).decode(),
            bytes=base64.b64encode(b"\xff{").decode(),
            sha256=hashlib.sha256(b"\xff{").hexdigest(),
        ),
    )


def redriven(record: str = FIRST) -> RedrivenV1:
    """Make the mark of a redriven record."""
    data = RedrivenDataV1(record=record, topic="uptake.events", partition=3, offset=99)
    return RedrivenV1(id=f"{record}/r", source="/uptake/ingest", time=NOON, data=data)


def dropped(record: str = FIRST) -> DroppedV1:
    """Make the mark of a dropped record."""
    data = DroppedDataV1(record=record, reason="noise")
    return DroppedV1(id=f"{record}/d", source="/uptake/ingest", time=NOON, data=data)


def filled(messages: Iterable[RejectedMessage]) -> RejectedIndex:
    """Fill an index."""
    index = RejectedIndex()
    for message in messages:
        index.add(message)
    return index


def test_record_without_a_mark_is_open() -> None:
    """All that is known of it is in its row."""
    with filled([rejected()]) as index:
        row = index.find(FIRST)
        assert row is not None
        assert (row.partition, row.offset, row.agency) == (3, 7, "bank")
        assert row.logged_at == NOON + timedelta(minutes=7)
        assert row.state is RejectedState.OPEN
        assert index.find(SECOND) is None


@pytest.mark.parametrize(
    ("messages", "state"),
    [
        ([rejected(), redriven()], RejectedState.REDRIVEN),
        ([rejected(), redriven(), redriven()], RejectedState.REDRIVEN),
        # Published again, because the relay crashed before it forgot the record.
        ([rejected(), dropped(), rejected()], RejectedState.DROPPED),
        ([rejected(), dropped(), redriven()], RejectedState.REDRIVEN),
        ([rejected(), redriven(SECOND)], RejectedState.OPEN),
    ],
)
def test_last_mark_holds(messages: list[RejectedMessage], state: RejectedState) -> None:
    """A repeated message changes nothing."""
    with filled(messages) as index:
        row = index.find(FIRST)
        assert row is not None
        assert row.state is state
        assert index.count(RejectedFilter())[state] == 1


def test_filters_narrow_and_the_latest_come_first() -> None:
    """Code, agency, instant and state; a limit cuts the oldest off."""
    messages: list[RejectedMessage] = [
        rejected(FIRST),
        rejected(SECOND, code="already_reversed", key=b"shop"),
        rejected("uptake.events/1/20", key=None),
        rejected("uptake.events/1/21", key=b"\xff"),
        dropped(FIRST),
    ]
    with filled(messages) as index:

        def ids(wanted: RejectedFilter, rows_max: int = 10) -> list[str]:
            return [place_of(row.id) for row in index.newest(wanted, rows_max)]

        assert ids(RejectedFilter()) == ["1/21", "1/20", "0/12", "3/7"]
        assert ids(RejectedFilter(), 2) == ["1/21", "1/20"]
        assert ids(RejectedFilter(code="already_reversed")) == ["0/12"]
        assert ids(RejectedFilter(agency="shop")) == ["0/12"]
        assert ids(RejectedFilter(state=RejectedState.DROPPED)) == ["3/7"]
        since = NOON + timedelta(minutes=20)
        assert ids(RejectedFilter(since=since)) == ["1/21", "1/20"]


def test_messages_of_others_are_left_aside() -> None:
    """A later version's and nonsense."""
    later = b'{"specversion":"1.0","type":"uptake.record.forgiven"}'
    for value in (None, b"", b"\xff", b"[]", b"{}", later):
        assert decode_message(value) is None
    assert decode_message(rejected().model_dump_json().encode()) == rejected()


def test_bytes_are_returned_only_if_they_are_the_record() -> None:
    """What was withheld, or was changed on the way, is never sent."""
    data = rejected().data
    assert record_of(data) == (b"bank", b"\xff{")
    assert record_of(data.model_copy(update={"key": None})) == (None, b"\xff{")
    for changed in ("", "AAAA", "!"):
        assert record_of(data.model_copy(update={"bytes": changed})) is None


def test_coordinates_are_what_people_read() -> None:
    """With the topic or without; each record once."""
    assert parse_coordinates(["3/7", "uptake.events/3/07"]) == (FIRST,)
    for word in ("3", "3/", "-1/3", "a/b", "3/7 ", "٣/7", "3/7\n"):
        with pytest.raises(FatalError, match="PARTITION/OFFSET"):
            parse_coordinates([word])
