"""The ledger's transactions; each method is one.

Applying is exactly once: the progress row's compare-and-set, the ledger, the totals
and the outbox change together or not at all. A crash anywhere here repeats the batch
from the progress row and loses nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.aggregation.core.judge import Judgement, Known, Target, judge
from services.aggregation.core.ledger import EventKey, LedgerRow
from services.aggregation.core.record import LogRecord
from shared.postgres.pool import outages_as_transient
from shared.postgres.queries import load_queries

Connection = PoolConnectionProxy
QUERIES: Final = load_queries("services.aggregation.sql")
_LEDGER_COLUMNS: Final = (
    *LedgerRow._fields[:13],
    "count",
    "amount",
    *LedgerRow._fields[15:],
)


class StaleProgressError(Exception):
    """Another writer moved a partition on; re-read the progress, seek, go on.

    Normal after a rebalance. Nothing of the batch was written.
    """


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a partition stands.

    Attributes:
        next_offset: The first offset not applied; the only start position.
        last_record_hash: Hash of the record before it; None before the first.
    """

    partition: int
    next_offset: int
    last_record_hash: bytes | None
    last_logged_at: datetime | None
    counted: int
    duplicates: int
    reversed: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive records of one partition.

    Attributes:
        first_offset: Offset of the first record; must be the partition's next one.
        next_offset: Offset after the last record.
        last_record_hash: Hash of the last record.
        records: Every offset from first to next, in order.
        raw: Key and value of records that may have to be rejected, by offset.
    """

    partition: int
    first_offset: int
    next_offset: int
    last_record_hash: bytes
    records: Sequence[LogRecord]
    raw: Mapping[int, tuple[bytes | None, bytes | None]]


class LedgerStore:
    """Progress, ledger and totals."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def start_partitions(
        self, partitions: Iterable[int]
    ) -> Mapping[int, Progress]:
        """Return where partitions stand, making the rows of new ones.

        Raises:
            TransientError: Postgres is away.
        """
        wanted = sorted(partitions)
        async with outages_as_transient(), self._pool.acquire() as connection:
            await connection.execute(QUERIES["ensure_progress"], wanted)
            rows = await connection.fetch(QUERIES["read_progress"], wanted)
        return {row["partition"]: Progress(*row.values()) for row in rows}

    async def apply(self, slices: Sequence[Slice]) -> Judgement:
        """Apply a batch: all of its effects, or none.

        Args:
            slices: At most one per partition.

        Returns:
            What each record did.

        Raises:
            StaleProgressError: A partition does not stand where the batch begins.
            TransientError: Postgres is away; whether the batch was applied is then
                unknown, and the progress row tells.
        """
        ordered = sorted(slices, key=lambda part: part.partition)
        records = [record for part in ordered for record in part.records]
        async with (
            outages_as_transient(),
            self._pool.acquire() as connection,
            connection.transaction(),
        ):
            await _compare_progress(connection, ordered)
            judgement = judge(records, await _look_up(connection, records))
            await _write_rows(connection, judgement)
            await _write_totals(connection, judgement, ordered)
            await _write_reports(connection, judgement, ordered)
            await _write_rejects(connection, judgement, ordered)
            await _set_progress(connection, judgement, ordered)
        return judgement


async def _compare_progress(connection: Connection, slices: Sequence[Slice]) -> None:
    rows = await connection.fetch(
        QUERIES["lock_progress"], [part.partition for part in slices]
    )
    stand = {row["partition"]: row["next_offset"] for row in rows}
    for part in slices:
        if stand.get(part.partition) != part.first_offset:
            raise StaleProgressError(
                f"partition {part.partition} stands at {stand.get(part.partition)}, "
                f"the batch begins at {part.first_offset}"
            )


async def _look_up(connection: Connection, records: Sequence[LogRecord]) -> Known:
    """Read what the batch can touch; two index look-ups per record, set-based."""
    keys: dict[EventKey, None] = {}
    for record in records:
        entry = record.entry
        if entry is None:
            continue
        keys[(entry.source, entry.id)] = None
        if entry.data.source is not None and entry.data.id is not None:
            keys[(entry.data.source, entry.data.id)] = None
    sources = [key[0] for key in keys]
    ids = [key[1] for key in keys]
    rows = await connection.fetch(QUERIES["find_rows"], sources, ids)
    waiting = await connection.fetch(QUERIES["find_waiting"], sources, ids)
    found = [LedgerRow(*row.values()) for row in rows]
    targets = {
        cast("Target", (row[0], row[1], row[2])): cast("int", row[3]) for row in waiting
    }
    return Known({row.key: row for row in found}, targets)


async def _write_rows(connection: Connection, judgement: Judgement) -> None:
    await connection.copy_records_to_table(
        "ledger",
        schema_name="aggregation",
        columns=_LEDGER_COLUMNS,
        records=judgement.rows,
    )
    if judgement.voids:
        status = await connection.execute(
            QUERIES["void_rows"],
            [row.source for row, _ in judgement.voids],
            [row.id for row, _ in judgement.voids],
            [offset for _, offset in judgement.voids],
        )
        assert status == f"UPDATE {len(judgement.voids)}", status
    await _write_stated(connection, judgement)


async def _write_stated(connection: Connection, judgement: Judgement) -> None:
    """Keep statements and controls that hold, drop those that were voided."""
    standing = [row for row in judgement.rows if row.voided_by is None]
    statements = [
        (
            row.source,
            row.id,
            row.indicator,
            row.agency,
            row.locality,
            row.valid_from,
            row.day,
            row.occurred_at,
            row.net_count,
            row.logged_at,
        )
        for row in standing
        if row.kind == b"s"
    ]
    controls = [
        (
            row.source,
            row.id,
            row.indicator,
            row.agency,
            row.day,
            row.occurred_at,
            row.net_count,
        )
        for row in standing
        if row.kind == b"k"
    ]
    if statements:
        await connection.copy_records_to_table(
            "statement", schema_name="aggregation", records=statements
        )
    if controls:
        await connection.copy_records_to_table(
            "control", schema_name="aggregation", records=controls
        )
    for kind, query in ((b"s", "drop_statements"), (b"k", "drop_controls")):
        gone = [row.key for row, _ in judgement.voids if row.kind == kind]
        if gone:
            await connection.execute(
                QUERIES[query], [key[0] for key in gone], [key[1] for key in gone]
            )


async def _write_totals(
    connection: Connection, judgement: Judgement, slices: Sequence[Slice]
) -> None:
    revisions = {part.partition: part.next_offset for part in slices}
    deltas = judgement.deltas
    if deltas:
        columns = [
            list(column)
            for column in zip(*(delta.key for delta in deltas), strict=True)
        ]
        nothing_left = await connection.fetch(
            QUERIES["add_to_totals"],
            *columns,
            [Decimal(delta.count) for delta in deltas],
            [Decimal(delta.amount) for delta in deltas],
        )
        if nothing_left:
            await connection.execute(
                QUERIES["drop_zero_totals"],
                *(list(column) for column in zip(*nothing_left, strict=True)),
            )
        await connection.execute(
            QUERIES["mark_totals"],
            b"d",
            *columns,
            [delta.partition for delta in deltas],
            [revisions[delta.partition] for delta in deltas],
        )
    stated = {
        (row.indicator, row.agency, row.locality, row.valid_from, row.day): (
            row.partition
        )
        for row in (*judgement.rows, *(row for row, _ in judgement.voids))
        if row.kind == b"s"
    }
    if stated:
        await connection.execute(
            QUERIES["mark_totals"],
            b"s",
            *(list(column) for column in zip(*stated, strict=True)),
            list(stated.values()),
            [revisions[partition] for partition in stated.values()],
        )


async def _write_reports(
    connection: Connection, judgement: Judgement, slices: Sequence[Slice]
) -> None:
    """Note when each agency last reported each indicator, in log time."""
    revisions = {part.partition: part.next_offset for part in slices}
    latest: dict[tuple[str, str], LedgerRow] = {}
    for row in judgement.rows:
        if row.indicator is not None:
            latest[(row.agency, row.indicator)] = row
    if not latest:
        return
    series = sorted(latest)
    rows = [latest[key] for key in series]
    agencies = [agency for agency, _ in series]
    indicators = [indicator for _, indicator in series]
    no_day = date.min
    await connection.execute(
        QUERIES["note_reports"], agencies, indicators, [row.logged_at for row in rows]
    )
    await connection.execute(
        QUERIES["mark_totals"],
        b"l",
        indicators,
        agencies,
        [""] * len(rows),
        [no_day] * len(rows),
        [no_day] * len(rows),
        [row.partition for row in rows],
        [revisions[row.partition] for row in rows],
    )


async def _write_rejects(
    connection: Connection, judgement: Judgement, slices: Sequence[Slice]
) -> None:
    if not judgement.rejects:
        return
    raw = {part.partition: part.raw for part in slices}
    logged = {
        (record.partition, record.offset): record.logged_at
        for part in slices
        for record in part.records
    }
    await connection.copy_records_to_table(
        "outbox_rejected",
        schema_name="aggregation",
        records=[
            (
                reject.partition,
                reject.offset,
                reject.code,
                reject.detail,
                logged[(reject.partition, reject.offset)],
                *raw[reject.partition][reject.offset],
            )
            for reject in judgement.rejects
        ],
    )


async def _set_progress(
    connection: Connection, judgement: Judgement, slices: Sequence[Slice]
) -> None:
    classes = [judgement.classes[part.partition] for part in slices]
    status = await connection.execute(
        QUERIES["advance_progress"],
        [part.partition for part in slices],
        [part.first_offset for part in slices],
        [part.next_offset for part in slices],
        [part.last_record_hash for part in slices],
        [part.records[-1].logged_at for part in slices],
        [each.counted for each in classes],
        [each.duplicates for each in classes],
        [each.reversed for each in classes],
        [each.rejected for each in classes],
    )
    assert status == f"UPDATE {len(slices)}", status
