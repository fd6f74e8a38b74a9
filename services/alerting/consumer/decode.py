"""Messages of `uptake.totals`, decoded from raw bytes.

The structs mirror `shared.events.totals_v1`; one contract test holds them to it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Final, Protocol

import msgspec

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


class RawRecord(Protocol):
    """What is used of a record as aiokafka delivers it."""

    @property
    def partition(self) -> int:
        """Partition of the topic."""

    @property
    def offset(self) -> int:
        """Offset in the partition."""

    @property
    def key(self) -> bytes | None:
        """The record's key."""

    @property
    def value(self) -> bytes | None:
        """The record's value; None where a key was deleted."""


class _Day(msgspec.Struct, tag="day", tag_field="kind", frozen=True, gc=False):
    indicator: str
    agency: str
    locality: str
    valid_from: date
    day: date
    count: int
    amount: int
    partition: int
    revision: int


class _Stated(msgspec.Struct, tag="stated", tag_field="kind", frozen=True, gc=False):
    indicator: str
    agency: str
    locality: str
    valid_from: date
    day: date
    level: int | None
    partition: int
    revision: int


class _Control(msgspec.Struct, tag="control", tag_field="kind", frozen=True, gc=False):
    agency: str
    indicator: str
    day: date
    claimed: int | None
    partition: int
    revision: int


class _Report(msgspec.Struct, tag="report", tag_field="kind", frozen=True, gc=False):
    agency: str
    indicator: str
    at: datetime
    revision: int


class _Mark(msgspec.Struct, tag="watermark", tag_field="kind", frozen=True, gc=False):
    partition: int
    at: datetime
    revision: int


_Total = _Day | _Stated | _Control | _Report | _Mark
_decoder: Final[msgspec.json.Decoder[_Total]] = msgspec.json.Decoder(_Total)


def record_hash(record: RawRecord) -> bytes:
    """Return the SHA-256 of a record's key and value."""
    digest = hashlib.sha256()
    for part in (record.key, record.value):
        # A length before each part keeps ("a", "bc") apart from ("ab", "c").
        digest.update(b"-" if part is None else b"%d:%s" % (len(part), part))
    return digest.digest()


def decode_batch(
    records: Iterable[RawRecord], standing: Mapping[int, int]
) -> TotalsBatch:
    """Decode the records that are new, in the order given.

    Args:
        records: Of any partitions, ascending by offset within each.
        standing: Next offset of each partition; records below it are left out.

    Returns:
        A batch without stretches if nothing was new.

    Raises:
        FatalError: A record cannot be read. Only aggregation writes this topic, so
            it is a bug or a newer version, and to go on would show wrong totals.
    """
    batch = TotalsBatch({})
    last: dict[int, RawRecord] = {}
    for record in records:
        if record.offset >= standing[record.partition]:
            last[record.partition] = record
            if record.value is not None:
                _add(batch, record, record.value)
    for partition, record in last.items():
        batch.stretches[partition] = Stretch(
            from_offset=standing[partition],
            next_offset=record.offset + 1,
            last_record_hash=record_hash(record),
        )
    return batch


def _add(batch: TotalsBatch, record: RawRecord, value: bytes) -> None:
    try:
        total = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FatalError(
            f"cannot read record {record.offset} of partition {record.partition} of "
            f"uptake.totals: {error}; run the alerting that belongs to the aggregation"
        ) from error
    match total:
        case _Day():
            batch.days.append(
                DayTotal(
                    total.indicator,
                    total.agency,
                    total.locality,
                    total.valid_from,
                    total.day,
                    total.count,
                    total.amount,
                    total.partition,
                    total.revision,
                )
            )
        case _Stated():
            batch.stated.append(
                Stated(
                    total.indicator,
                    total.agency,
                    total.locality,
                    total.valid_from,
                    total.day,
                    total.level,
                    total.partition,
                    total.revision,
                )
            )
        case _Control():
            batch.claims.append(
                Claim(
                    total.agency,
                    total.indicator,
                    total.day,
                    total.claimed,
                    total.partition,
                    total.revision,
                )
            )
        case _Report():
            batch.reports.append(
                Report(total.agency, total.indicator, total.at, total.revision)
            )
        case _Mark():
            batch.watermarks.append(
                Watermark(total.partition, total.at, total.revision)
            )
