"""What `uptake reconcile` compares, and what it makes of it; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from services.cli.render import figure

NOTHING: Final = 0
REPEATED_ADVICE: Final = (
    "the unique key of aggregation.ledger did not hold, so it is corrupt or missing:",
    "see docs/runbooks/platform.md, An event stands twice in the ledger",
)


@dataclass(frozen=True, slots=True)
class PartitionState:
    """One row of `reporting.progress`."""

    partition: int
    next_offset: int
    applied: int
    counted: int
    duplicates: int
    reversed: int
    rejected: int
    last_logged_at: datetime | None

    @property
    def classed(self) -> int:
        """Sum of the four classes."""
        return self.counted + self.duplicates + self.reversed + self.rejected


@dataclass(frozen=True, slots=True)
class LedgerCount:
    """Ledger rows of a partition, those that have been dropped included."""

    partition: int
    counted: int
    reversed: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What the ledger keeps no more, so that it cannot be recounted.

    Attributes:
        rows: Ledger rows dropped because of their age.
        first_whole_day: From here on every row is there; None if none was dropped.
        older_totals: Daily totals of the days before.
    """

    rows: int
    first_whole_day: date | None
    older_totals: int

    def line(self) -> str | None:
        """Say it in one line; None where nothing was forgotten."""
        if self.first_whole_day is None:
            return None
        return (
            f"{self.rows:,} ledger rows were dropped because of their age: "
            f"{self.older_totals:,} daily totals before {self.first_whole_day} stay "
            "as they are and were not recounted"
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """Two figures that should be equal and are not; None where a row is missing."""

    what: str
    kept: Decimal | int | None
    recounted: Decimal | int | None

    def line(self) -> str:
        """Say it in one line."""
        return f"{self.what}: {figure(self.kept)} kept, {figure(self.recounted)} found"


@dataclass(frozen=True, slots=True)
class RepeatedEvent:
    """An event that stands more than once in the ledger.

    Attributes:
        rows: How often.
        partition: Where it was logged.
        first_offset: Of its rows' offsets the least; equal to the greatest where one
            record was entered twice.
    """

    source: str
    id: str
    rows: int
    partition: int
    first_offset: int
    last_offset: int

    def line(self) -> str:
        """Say it in one line."""
        offsets = (
            f"offset {self.first_offset}"
            if self.first_offset == self.last_offset
            else f"offsets {self.first_offset} to {self.last_offset}"
        )
        place = f"partition {self.partition}, {offsets}"
        return f"{self.source} {self.id}: {figure(self.rows)} rows, {place}"


@dataclass(frozen=True, slots=True)
class ControlDifference:
    """An agency's own figure that differs from what is counted."""

    indicator: str
    agency: str
    day: date
    claimed: Decimal | int
    counted: Decimal | int
    difference: Decimal | int


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison.

    Attributes:
        name: What must be equal.
        differing: How many are not; 0 when all are.
        differences: The first of them.
        advice: What to do where it is not; lines for people.
    """

    name: str
    differing: int
    differences: tuple[Difference | RepeatedEvent, ...]
    advice: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether everything was equal."""
        return self.differing == NOTHING


def check_repeated(found: Sequence[RepeatedEvent], differing: int) -> Check:
    """Judge what stands more than once in the ledger.

    Args:
        found: The first of them.
        differing: How many there are.
    """
    return Check(
        "every (source, id) stands once in the ledger",
        differing,
        tuple(found),
        REPEATED_ADVICE,
    )


def make_check(
    name: str, differences: Sequence[Difference], differing: int | None = None
) -> Check:
    """Make a check of its differences.

    Args:
        name: What must be equal.
        differences: Those that are known.
        differing: How many there are, if only the first are known.
    """
    total = len(differences) if differing is None else differing
    return Check(name, total, tuple(differences))


def check_classes(states: Sequence[PartitionState]) -> Check:
    """Compare what was applied with what became of it (promise 3)."""
    return make_check(
        "applied = counted + duplicates + reversed + rejected",
        [
            Difference(f"partition {state.partition}", state.applied, state.classed)
            for state in states
            if state.applied != state.classed
        ],
    )


def check_log(states: Sequence[PartitionState], ends: Mapping[int, int]) -> Check:
    """Compare what was applied with the log: nothing may be applied that is not there.

    Args:
        states: Read before the log, so that the log can only have more.
        ends: Offset behind the last record, by partition of the topic.
    """
    return make_check(
        "applied + in flight = log end, in flight never below 0",
        [
            Difference(
                f"partition {state.partition}, next offset against log end",
                state.next_offset,
                ends.get(state.partition),
            )
            for state in states
            if ends.get(state.partition, -1) < state.next_offset
        ],
    )


def count_in_flight(
    states: Sequence[PartitionState], ends: Mapping[int, int]
) -> dict[int, int]:
    """Return the records not yet applied, by partition of the log."""
    started = {state.partition: state.next_offset for state in states}
    return {
        partition: end - started.get(partition, 0)
        for partition, end in sorted(ends.items())
    }


def check_ledger(
    states: Sequence[PartitionState], ledger: Sequence[LedgerCount]
) -> Check:
    """Compare the class counts with the rows that counted records left behind."""
    rows = {count.partition: count for count in ledger}
    differences = []
    for state in states:
        row = rows.pop(state.partition, LedgerCount(state.partition, 0, 0))
        place = f"partition {state.partition}"
        if state.counted != row.counted:
            differences.append(
                Difference(f"{place}, counted", state.counted, row.counted)
            )
        if state.reversed != row.reversed:
            differences.append(
                Difference(f"{place}, reversed", state.reversed, row.reversed)
            )
    differences += [
        Difference(
            f"partition {row.partition} without progress", 0, row.counted + row.reversed
        )
        for row in rows.values()
    ]
    return make_check(
        "ledger rows, dropped ones included = counted and reversed records",
        differences,
    )
