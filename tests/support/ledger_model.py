"""Ledger and totals in memory: applies a judgement as the store does.

What the tables' constraints would refuse is an assertion here, so a judgement that
passes could have been written.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.aggregation.core.judge import (
    PLAIN_EFFECTS,
    Classes,
    Judgement,
    Known,
    Reject,
    Target,
    TotalKey,
    judge,
)
from services.aggregation.core.ledger import EventKey, LedgerRow
from services.aggregation.core.record import Entry, LogRecord
from services.aggregation.core.retention import is_forgotten

Effects = dict[EventKey, tuple[object, ...]]
Totals = dict[TotalKey, tuple[int, int]]
StandingKey = tuple[EventKey, datetime]
KEPT_FOR = timedelta(days=400)


@dataclass(slots=True)
class LedgerModel:
    """What the database would hold.

    Attributes:
        totals: Never a row of zeros.
        standing: Statements and controls that hold, by key and instant.
        kept_since: Of each partition.
        retired: Forgotten rows whose key another event bears, by partition and offset.
    """

    rows: dict[EventKey, LedgerRow] = field(default_factory=dict)
    totals: Totals = field(default_factory=dict)
    kept_for: timedelta = KEPT_FOR
    standing: dict[StandingKey, LedgerRow] = field(default_factory=dict)
    classes: dict[int, Classes] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    kept_since: dict[int, datetime] = field(default_factory=dict)
    retired: dict[tuple[int, int], LedgerRow] = field(default_factory=dict)

    def known(self, records: Iterable[LogRecord]) -> Known:
        """Look up what a batch can touch, and no more, as the store does."""
        keys: set[EventKey] = set()
        for record in records:
            entry = record.entry
            if entry is None:
                continue
            keys.add((entry.source, entry.id))
            if entry.data.source is not None and entry.data.id is not None:
                keys.add((entry.data.source, entry.data.id))
        waiting = {
            target: row.log_offset
            for row in self.every_row()
            if (target := _target(row)) is not None and target[:2] in keys
        }
        rows = {key: row for key in keys if (row := self.rows.get(key)) is not None}
        return Known(rows, waiting, kept_since=dict(self.kept_since))

    def every_row(self) -> list[LedgerRow]:
        """Return the rows with a key that is looked for, and the others."""
        return [*self.rows.values(), *self.retired.values()]

    def apply(self, records: Sequence[LogRecord]) -> Judgement:
        """Judge a batch and write what it does."""
        judgement = judge(records, self.known(records), self.kept_for)
        self._write_rows(judgement)
        self._write_totals(judgement)
        for partition, kept_since in judgement.kept_since.items():
            assert kept_since >= self.kept_since.get(partition, kept_since)
            self.kept_since[partition] = kept_since
        for partition, classes in judgement.classes.items():
            sums = self.classes.setdefault(partition, Classes())
            sums.counted += classes.counted
            sums.duplicates += classes.duplicates
            sums.reversed += classes.reversed
            sums.rejected += classes.rejected
        self.rejects.extend(judgement.rejects)
        assert sum(each.total for each in judgement.classes.values()) == len(records)
        return judgement

    def drop_old_rows(self) -> int:
        """Drop what `drop_old_rows` of the queries drops; return how many."""
        reversals = {
            target: row
            for row in self.every_row()
            if (target := _target(row)) is not None
        }

        def may_go(row: LedgerRow) -> bool:
            kept_since = self.kept_since.get(row.partition)
            undo = reversals.get((*row.key, row.occurred_at))
            return (
                kept_since is not None
                and is_forgotten(row, kept_since)
                and (
                    row.voided_by is None or undo is None or undo.logged_at < kept_since
                )
            )

        gone = [key for key, row in self.rows.items() if may_go(row)]
        faded = [place for place, row in self.retired.items() if may_go(row)]
        for key in gone:
            del self.rows[key]
        for place in faded:
            del self.retired[place]
        return len(gone) + len(faded)

    def _write_rows(self, judgement: Judgement) -> None:
        assert judgement.apart == tuple(
            each for each in judgement.entered if each[1].effect not in PLAIN_EFFECTS
        ), "what stands apart is not every entry that is no plain event, once"
        for row, offset in judgement.voids:
            assert self.rows[row.key] == row, "what is voided is not what was known"
            assert row.voided_by is None, "a row is voided twice"
            self.rows[row.key] = row._replace(voided_by=offset)
            self.standing.pop((row.key, row.occurred_at), None)
        for row in judgement.retired:
            retired = self.rows.pop(row.key)
            self.retired[retired.partition, retired.log_offset] = retired
        for row in judgement.rows:
            place = (row.partition, row.log_offset)
            if place in judgement.faded:
                self.retired[place] = row
            else:
                assert row.key not in self.rows, "a key stands twice"
                self.rows[row.key] = row
            if row.kind in (b"s", b"k") and row.voided_by is None:
                self.standing[row.key, row.occurred_at] = row
        targets = [target for row in self.every_row() if (target := _target(row))]
        assert len(set(targets)) == len(targets), "an original is reversed twice"

    def _write_totals(self, judgement: Judgement) -> None:
        keys = [delta.key for delta in judgement.deltas]
        assert keys == sorted(set(keys)), "deltas are not unique and ascending"
        for delta in judgement.deltas:
            assert delta.count or delta.amount, "a delta of zeros"
            count, amount = self.totals.pop(delta.key, (0, 0))
            changed = (count + delta.count, amount + delta.amount)
            if changed != (0, 0):
                self.totals[delta.key] = changed

    def effects(self) -> Effects:
        """Return what is in the ledger, without where in the log it stood."""
        return {
            key: (
                row.kind,
                row.agency,
                *row.content,
                row.valid_from,
                row.reversed_occurred_at,
                row.voided_by is not None,
            )
            for key, row in self.rows.items()
        }

    def class_sums(self) -> tuple[int, int, int, int]:
        """Return counted, duplicates, reversed, rejected over all partitions."""
        every = self.classes.values()
        return (
            sum(each.counted for each in every),
            sum(each.duplicates for each in every),
            sum(each.reversed for each in every),
            sum(each.rejected for each in every),
        )


def apply_in_batches(batches: Iterable[Sequence[LogRecord]]) -> LedgerModel:
    """Apply batches to an empty ledger."""
    model = LedgerModel()
    for batch in batches:
        model.apply(batch)
    return model


def recount(entries: Iterable[Entry | None]) -> Totals:
    """Count anew, by sets: the auditor, who shares no code with the judge.

    Only for streams in which one id has one content: then neither order nor repeats
    can matter, and there are only events, and the set of what was reversed.
    """
    events: dict[EventKey, Entry] = {}
    voided: set[tuple[str | None, str | None, datetime | None]] = set()
    for entry in entries:
        if entry is None:
            continue
        if entry.effect == "reverse":
            voided.add((entry.data.source, entry.data.id, entry.data.time))
        elif entry.effect in ("count", "amount"):
            events[(entry.source, entry.id)] = entry
    totals: Totals = {}
    for entry in events.values():
        if (entry.source, entry.id, entry.time) in voided:
            continue
        assert entry.indicator is not None
        assert entry.locality is not None
        assert entry.validfrom is not None
        key = TotalKey(
            entry.indicator,
            entry.agency,
            entry.locality,
            entry.validfrom,
            entry.localday,
        )
        count, amount = totals.get(key, (0, 0))
        if entry.effect == "count":
            count += entry.sign * entry.data.count
        totals[key] = (count, amount + entry.sign * entry.data.amount)
    return {key: sums for key, sums in totals.items() if sums != (0, 0)}


def _target(row: LedgerRow) -> Target | None:
    if row.reversed_id is None:
        return None
    assert row.reversed_source is not None
    assert row.reversed_occurred_at is not None
    return (row.reversed_source, row.reversed_id, row.reversed_occurred_at)
