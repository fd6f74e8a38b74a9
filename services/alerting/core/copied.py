"""What a batch of `uptake.totals` says, as rows ready for the copy."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple


class DayTotal(NamedTuple):
    """Effects of one agency on one indicator at one leaf on one local day."""

    indicator: str
    agency: str
    locality: str
    valid_from: date
    day: date
    effect: int
    amount: int
    partition: int
    revision: int


class Stated(NamedTuple):
    """The statement that holds for a day; a level of None: all are voided."""

    indicator: str
    agency: str
    locality: str
    valid_from: date
    day: date
    level: int | None
    partition: int
    revision: int


class Claim(NamedTuple):
    """An agency's own figure for a day; None: all its controls are voided."""

    agency: str
    indicator: str
    day: date
    claimed: int | None
    partition: int
    revision: int


class Report(NamedTuple):
    """When an agency last reported an indicator."""

    agency: str
    indicator: str
    at: datetime
    revision: int


class Watermark(NamedTuple):
    """Up to when a partition of `uptake.events` has been applied."""

    partition: int
    at: datetime
    revision: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part of one partition of `uptake.totals` that a batch covers.

    Attributes:
        from_offset: Where the reader stood before it.
        next_offset: Where it stands after it.
        last_record_hash: SHA-256 of the last record's key and value.
    """

    from_offset: int
    next_offset: int
    last_record_hash: bytes


@dataclass(frozen=True, slots=True)
class TotalsBatch:
    """Rows in the order they were logged; a key may stand more than once."""

    stretches: dict[int, Stretch]
    """By partition of `uptake.totals`; never empty."""
    days: list[DayTotal] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    watermarks: list[Watermark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the copy of one partition ends."""

    next_offset: int
    last_record_hash: bytes | None


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The copy of a partition holds all that was there a while ago.

    Attributes:
        end: Where the partition ended then.
        age: How long ago that was.
    """

    end: int
    age: timedelta
