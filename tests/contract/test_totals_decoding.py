"""Alerting's decoder reads `uptake.totals` as the wire model writes it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerting.consumer.decode import decode_batch, record_hash
from services.alerting.core.copied import (
    Claim,
    DayTotal,
    Report,
    Stated,
    Stretch,
    TotalsBatch,
    Watermark,
)
from shared.errors import FatalError
from shared.events.totals_v1 import (
    ControlClaimV1,
    DailyTotalV1,
    LastReportV1,
    StatedLevelV1,
    TotalV1,
    WatermarkV1,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Record:
    """A record as aiokafka delivers it, as far as it is used."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


texts = st.text(min_size=1, max_size=20)
sums = st.integers(min_value=-(10**30), max_value=10**30)
ordinals = st.integers(min_value=0, max_value=2**60)
partitions = st.integers(min_value=0, max_value=255)
instants = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 -- made aware by the strategy
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 -- made aware by the strategy
    timezones=st.just(UTC),
)
totals = st.one_of(
    st.builds(
        DailyTotalV1,
        indicator=texts,
        agency=texts,
        locality=texts,
        valid_from=st.dates(),
        day=st.dates(),
        count=sums,
        amount=sums,
        partition=partitions,
        revision=ordinals,
    ),
    st.builds(
        StatedLevelV1,
        indicator=texts,
        agency=texts,
        locality=texts,
        valid_from=st.dates(),
        day=st.dates(),
        level=st.none() | ordinals,
        partition=partitions,
        revision=ordinals,
    ),
    st.builds(
        ControlClaimV1,
        indicator=texts,
        agency=texts,
        day=st.dates(),
        claimed=st.none() | ordinals,
        partition=partitions,
        revision=ordinals,
    ),
    st.builds(
        LastReportV1,
        agency=texts,
        indicator=texts,
        at=instants,
        partition=partitions,
        revision=ordinals,
    ),
    st.builds(WatermarkV1, partition=partitions, at=instants, revision=ordinals),
)


@given(totals)
def test_every_message_is_read_as_it_was_written(total: TotalV1) -> None:
    """Field by field; sums of any size."""
    value = total.model_dump_json().encode()
    batch = decode_batch([Record(0, 7, total.key(), value)], {0: 7})
    rows = [
        *batch.days,
        *batch.stated,
        *batch.claims,
        *batch.reports,
        *batch.watermarks,
    ]
    assert rows == [as_row(total)]


def as_row(total: TotalV1) -> DayTotal | Stated | Claim | Report | Watermark:
    """Write a message's fields as a row of the copy."""
    fields = total.model_dump(exclude={"kind"})
    match total:
        case DailyTotalV1():
            return DayTotal(effect=fields.pop("count"), **fields)
        case StatedLevelV1():
            return Stated(**fields)
        case ControlClaimV1():
            return Claim(**fields)
        case LastReportV1():
            del fields["partition"]
            return Report(**fields)
        case WatermarkV1():
            return Watermark(**fields)


def mark(offset: int, *, partition: int = 0) -> Record:
    """Build a record that holds a watermark."""
    total = WatermarkV1(partition=partition, at=NOON, revision=offset)
    return Record(partition, offset, total.key(), total.model_dump_json().encode())


def test_records_that_were_copied_before_are_left_out() -> None:
    """A redelivery below where the reader stands is no news."""
    batch = decode_batch([mark(4), mark(5), mark(6)], {0: 6})
    assert [row.revision for row in batch.watermarks] == [6]
    assert decode_batch([mark(4)], {0: 6}) == TotalsBatch({})


def test_stretch_of_each_partition_ends_after_its_last_record() -> None:
    """Gaps come from compaction and are normal."""
    records = [mark(5), mark(9), mark(2, partition=3)]
    batch = decode_batch(records, {0: 5, 3: 0})
    assert batch.stretches == {
        0: Stretch(5, 10, record_hash(records[1])),
        3: Stretch(0, 3, record_hash(records[2])),
    }


def test_deleted_key_is_passed_over() -> None:
    """A tombstone moves the position and nothing else."""
    batch = decode_batch([Record(0, 5, b"k", None)], {0: 5})
    assert batch.stretches[0].next_offset == 6
    assert batch.days == []


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"{}",
        b'{"kind":"later","partition":1}',
        b'{"kind":"watermark","partition":"1","at":"2026-11-21T12:00Z","revision":1}',
    ],
)
def test_message_that_cannot_be_read_stops_the_copy(value: bytes) -> None:
    """In one line that names the record; a guess would show wrong totals."""
    with pytest.raises(FatalError, match=r"record 5 of partition 0 of uptake\.totals"):
        decode_batch([Record(0, 5, b"k", value)], {0: 5})


def test_hash_keeps_key_and_value_apart() -> None:
    """Nor is a missing part an empty one."""
    records = [(b"a", b"bc"), (b"ab", b"c"), (b"", b"abc"), (None, b"abc")]
    hashes = {record_hash(Record(0, 0, key, value)) for key, value in records}
    assert len(hashes) == 4
