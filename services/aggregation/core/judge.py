"""Judge a run of records: what each one does, given log and ledger alone.

The decision is sequential, so it does not depend on how the log is cut into batches;
and it is total: every record gets exactly one class (DESIGN sections 2 to 4).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, cast

from services.aggregation.core.ledger import (
    REVERSAL,
    EventKey,
    LedgerRow,
    map_entry_to_row,
)
from services.aggregation.core.record import Entry, LogRecord
from services.aggregation.core.retention import Horizon, is_forgotten, make_horizon
from shared.errors import RejectionCode

Target = tuple[str, str, datetime]
"""(source, id, instant) of the original that a reversal names."""


class TotalKey(NamedTuple):
    """Key of a daily total; agency is part of it, so each row has one writer."""

    indicator: str
    agency: str
    locality: str
    valid_from: date
    day: date


@dataclass(frozen=True, slots=True)
class Delta:
    """What a batch adds to a daily total."""

    key: TotalKey
    partition: int
    count: int
    amount: int


class Reject(NamedTuple):
    """A record that was not applied."""

    partition: int
    offset: int
    code: RejectionCode
    detail: str


@dataclass(slots=True)
class Classes:
    """How many records of a partition fell into each class."""

    counted: int = 0
    duplicates: int = 0
    reversed: int = 0
    rejected: int = 0

    @property
    def total(self) -> int:
        """Return the number of records judged."""
        return self.counted + self.duplicates + self.reversed + self.rejected


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger held before the batch, as far as the batch can touch it.

    Attributes:
        rows: Rows whose key is a record's own or the original of a reversal.
        waiting: Reversals taken whose original has not come, by original.
        owners: Whose a source is; one that is missing is whose record comes.
        kept_since: Of each partition that has one: what is older is too late.
    """

    rows: Mapping[EventKey, LedgerRow]
    waiting: Mapping[Target, int]
    owners: Mapping[str, str] = field(default_factory=dict)
    kept_since: Mapping[int, datetime] = field(default_factory=dict)


Entered = tuple[LogRecord, Entry, int | None]
"""A record that enters the ledger, its entry, and the offset of the reversal that
voids it: one taken before it, or in the same batch; None while it stands.

A bare tuple, because one is made for nearly every record.
"""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that one transaction has to write.

    Attributes:
        classes: Counts of the four classes, by partition.
        entered: New ledger entries: those of `faded`, then each (source, id) once, in
            log order.
        apart: Those of them that are not plain events: statements, controls and
            reversals, of which most batches have none.
        voids: Older rows that a reversal of this batch voids, with its offset.
        deltas: At most one per total, ascending by key, never of zeros.
        rejects: In log order.
        kept_since: Of each partition that has one, after the batch.
        retired: Older rows, forgotten, whose (source, id) an entry bears anew; those
            that are still there give up their key.
        faded: Entries of this batch to which the same happened within it, by
            partition and offset.
    """

    classes: Mapping[int, Classes]
    entered: tuple[Entered, ...]
    apart: tuple[Entered, ...]
    voids: tuple[tuple[LedgerRow, int], ...]
    deltas: tuple[Delta, ...]
    rejects: tuple[Reject, ...]
    kept_since: Mapping[int, datetime] = field(default_factory=dict)
    retired: tuple[LedgerRow, ...] = ()
    faded: frozenset[tuple[int, int]] = frozenset()

    @property
    def rows(self) -> tuple[LedgerRow, ...]:
        """Return the ledger rows of the entries, in log order."""
        return tuple(map_entry_to_row(*each) for each in self.entered)

    @property
    def reports(self) -> Mapping[str, datetime]:
        """Return when each agency's latest entry was logged."""
        return {entry.agency: record.logged_at for record, entry, _ in self.entered}


PLAIN_EFFECTS: Final = ("count", "amount")
PlainKey = tuple[str, str, str, date, date]
"""A total's key before it has names; building it is on the hot path."""
Sums = list[int]
"""[partition, count, amount]"""


@dataclass(slots=True)
class _Bench:
    """The state while a run is judged; it never leaves this module."""

    known: Known
    horizon: Horizon
    classes: dict[int, Classes] = field(default_factory=dict)
    entered: dict[EventKey, Entered] = field(default_factory=dict)
    apart: dict[EventKey, None] = field(default_factory=dict)
    waiting: dict[Target, int] = field(default_factory=dict)
    voids: dict[EventKey, tuple[LedgerRow, int]] = field(default_factory=dict)
    sums: dict[PlainKey, Sums] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    retired: dict[EventKey, LedgerRow] = field(default_factory=dict)
    faded: list[Entered] = field(default_factory=list)

    def find(self, key: EventKey, kept_since: datetime) -> LedgerRow | None:
        """Return the row that a key has in the ledger or will have, if remembered."""
        entered = self.entered.get(key)
        row = (
            self.known.rows.get(key) if entered is None else map_entry_to_row(*entered)
        )
        return None if row is None or is_forgotten(row, kept_since) else row

    def retire(self, key: EventKey) -> None:
        """Have what bore a key so far, and is forgotten, give it up."""
        faded = self.entered.pop(key, None)
        if faded is not None:
            self.faded.append(faded)
            # The key is not its own any more, and the next to bear it may be plain.
            self.apart.pop(key, None)
        elif key in self.known.rows:
            self.retired[key] = self.known.rows[key]

    def all_apart(self) -> tuple[Entered, ...]:
        """Return the entries that are not plain events, faded ones first."""
        faded = (each for each in self.faded if each[1].effect not in PLAIN_EFFECTS)
        return (*faded, *(self.entered[key] for key in self.apart))

    def add(self, record: LogRecord, entry: Entry, voided_by: int | None) -> None:
        """Add an event's effect to its total, unless it is voided or has none."""
        effect = entry.effect
        if effect not in PLAIN_EFFECTS:
            self.apart[entry.source, entry.id] = None
            return
        if voided_by is not None:
            return
        # An effect has an indicator and a leaf; the decoder saw to it.
        key = cast(
            "PlainKey",
            (
                entry.indicator,
                entry.agency,
                entry.locality,
                entry.validfrom,
                entry.localday,
            ),
        )
        sums = self.sums.get(key)
        if sums is None:
            sums = self.sums[key] = [record.partition, 0, 0]
        data = entry.data
        if effect == "count":
            sums[1] += entry.sign * data.count
        sums[2] += entry.sign * data.amount

    def take_out(self, row: LedgerRow) -> None:
        """Take a row's effect out of its total again."""
        if row.kind != b"c":
            return
        assert row.indicator is not None
        assert row.locality is not None
        assert row.valid_from is not None
        key = (row.indicator, row.agency, row.locality, row.valid_from, row.day)
        sums = self.sums.setdefault(key, [row.partition, 0, 0])
        sums[1] -= row.net_count or 0
        sums[2] -= row.net_amount or 0


def judge(records: Sequence[LogRecord], known: Known, kept_for: timedelta) -> Judgement:
    """Judge records in log order.

    Args:
        records: Ascending by offset within each partition.
        known: The ledger's state before them.
        kept_for: How long the ledger is kept, in the log's time.

    Returns:
        One class for each record, and what is to be written.
    """
    horizon = make_horizon(kept_for, known.kept_since)
    bench = _Bench(known, horizon, waiting=dict(known.waiting))
    entered, older, waiting = bench.entered, known.rows, bench.waiting
    reach, owners = horizon.reach, known.owners
    for record in records:
        classes = bench.classes.get(record.partition)
        if classes is None:
            classes = bench.classes[record.partition] = Classes()
        entry = record.entry
        if entry is None:
            _reject(bench, record, RejectionCode.UNREADABLE, "not an admitted event")
            continue
        kept_since = reach(record, entry)
        if kept_since is None or owners.get(entry.source, entry.agency) != entry.agency:
            _turn_away(bench, record, entry, is_late=kept_since is None)
            continue
        key = (entry.source, entry.id)
        if (key in entered or key in older) and _judge_repeat(
            bench, record, entry, kept_since
        ):
            continue
        if entry.effect == "reverse":
            _judge_reversal(bench, record, entry, kept_since)
            continue
        voided_by = waiting.get((*key, entry.time)) if waiting else None
        entered[key] = (record, entry, voided_by)
        classes.counted += 1
        bench.add(record, entry, voided_by)
    return Judgement(
        classes=bench.classes,
        entered=(*bench.faded, *entered.values()),
        apart=bench.all_apart(),
        voids=tuple(bench.voids.values()),
        deltas=_sorted_deltas(bench.sums.items()),
        rejects=tuple(bench.rejects),
        kept_since=horizon.kept_since,
        retired=tuple(bench.retired.values()),
        faded=frozenset(
            (record.partition, record.offset) for record, _, _ in bench.faded
        ),
    )


def _turn_away(
    bench: _Bench, record: LogRecord, entry: Entry, *, is_late: bool
) -> None:
    """Reject what no look-up may decide."""
    if is_late:
        days = bench.horizon.kept_for.days
        detail = f"it, or what it reverses, lies before the {days} days of the ledger"
        _reject(bench, record, RejectionCode.TOO_LATE, detail)
        return
    detail = f"the source is agency {bench.known.owners[entry.source]}'s for ever"
    _reject(bench, record, RejectionCode.SOURCE_MOVED, detail)


def _judge_repeat(
    bench: _Bench, record: LogRecord, entry: Entry, kept_since: datetime
) -> bool:
    """Judge a record whose key was seen; False where only a forgotten row bore it."""
    key = (entry.source, entry.id)
    prior = bench.find(key, kept_since)
    if prior is not None:
        repeat = map_entry_to_row(record, entry, None)
        if repeat.content == prior.content:
            bench.classes[record.partition].duplicates += 1
            return True
        detail = f"same source and id as offset {prior.log_offset}, other content"
        _reject(bench, record, RejectionCode.CONFLICTING_DUPLICATE, detail)
        return True
    bench.retire(key)
    return False


def _judge_reversal(
    bench: _Bench, record: LogRecord, entry: Entry, kept_since: datetime
) -> None:
    data = entry.data
    assert data.source is not None
    assert data.id is not None
    assert data.time is not None
    original_key = (data.source, data.id)
    target = (data.source, data.id, data.time)
    original = bench.find(original_key, kept_since)
    refusal = _refusal_of_reversal(bench, original, target)
    if refusal is not None:
        _reject(bench, record, *refusal)
        return
    bench.entered[(entry.source, entry.id)] = (record, entry, None)
    bench.apart[entry.source, entry.id] = None
    bench.classes[record.partition].reversed += 1
    # Taken only once per original, also where the original is still to come.
    bench.waiting[target] = record.offset
    if original is None:
        return
    mine = bench.entered.get(original_key)
    if mine is None:
        bench.voids[original_key] = (original, record.offset)
    else:
        bench.entered[original_key] = (*mine[:2], record.offset)
    bench.take_out(original)


def _refusal_of_reversal(
    bench: _Bench, original: LedgerRow | None, target: Target
) -> tuple[RejectionCode, str] | None:
    if original is not None and original.kind == REVERSAL:
        return (
            RejectionCode.REVERSAL_OF_REVERSAL,
            f"offset {original.log_offset} is itself a reversal",
        )
    if original is not None and original.occurred_at != target[2]:
        return (
            RejectionCode.REVERSAL_MISMATCH,
            f"data.time is not that of the original at offset {original.log_offset}",
        )
    if target in bench.waiting or (
        original is not None and original.voided_by is not None
    ):
        return RejectionCode.ALREADY_REVERSED, "the original has been reversed already"
    return None


def _reject(bench: _Bench, record: LogRecord, code: RejectionCode, detail: str) -> None:
    bench.classes[record.partition].rejected += 1
    bench.rejects.append(Reject(record.partition, record.offset, code, detail))


def _sorted_deltas(
    sums: Iterable[tuple[PlainKey, Sums]],
) -> tuple[Delta, ...]:
    """Drop zero nets and sort by key, so every writer locks in the same order."""
    return tuple(
        Delta(TotalKey._make(key), partition, count, amount)
        for key, (partition, count, amount) in sorted(sums)
        if count or amount
    )
