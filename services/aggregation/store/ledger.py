"""The ledger's transactions; each method is one.

Applying is exactly once: the progress row's compare-and-set, the ledger, the totals
and the outbox change together or not at all. A crash anywhere here repeats the batch
from the progress row and loses nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import cast
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.aggregation.core.judge import (
    Judgement,
    Known,
    Target,
    judge,
)
from services.aggregation.core.ledger import LedgerRow
from services.aggregation.core.record import LogRecord
from services.aggregation.sql import SERVING, Generation
from services.aggregation.store.carry import carry_forward, change_carried
from services.aggregation.store.dictionary import Dictionary
from services.aggregation.store.keys import ledger_key
from services.aggregation.store.rejects import Raw, write_rejects
from services.aggregation.store.rows import write_rows
from services.aggregation.store.totals import (
    stated_days,
    write_reports,
    write_totals,
)
from shared.errors import TransientError
from shared.postgres.pool import outages_as_transient

Connection = PoolConnectionProxy


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
        raw: Gives key and value of the record at an offset, should it be rejected.
    """

    partition: int
    first_offset: int
    next_offset: int
    last_record_hash: bytes
    records: Sequence[LogRecord]
    raw: Raw


class LedgerStore:
    """Progress, ledger and totals of one generation."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        kept_for: timedelta,
        generation: Generation = SERVING,
    ) -> None:
        self._pool = pool
        self._kept_for = kept_for
        self._generation = generation
        self._dictionary = Dictionary()

    async def start_partitions(
        self, partitions: Iterable[int]
    ) -> Mapping[int, Progress]:
        """Return where partitions stand, making the rows of new ones.

        Raises:
            TransientError: Postgres is away.
        """
        wanted = sorted(partitions)
        queries = self._generation.queries
        async with outages_as_transient(), self._pool.acquire() as connection:
            await connection.execute(queries["ensure_progress"], wanted)
            rows = await connection.fetch(queries["read_progress"], wanted)
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
        try:
            async with outages_as_transient(), self._pool.acquire() as connection:
                await self._dictionary.learn(
                    connection, [each.entry for each in records if each.entry]
                )
                async with connection.transaction():
                    return await self._apply(connection, ordered, records)
        except (StaleProgressError, TransientError):
            # The database may have been restored meanwhile, with other numbers.
            self._dictionary.forget()
            raise

    async def carry_forward(self) -> date | None:
        """Carry levels forward to the next day that has settled.

        Returns:
            The day; None where there is none, or writers did not let go in time.

        Raises:
            TransientError: Postgres is away; the day is carried or it is not.
        """
        async with outages_as_transient(), self._pool.acquire() as connection:
            try:
                return await carry_forward(connection, self._generation)
            except asyncpg.LockNotAvailableError:
                return None

    async def _apply(
        self,
        connection: Connection,
        slices: Sequence[Slice],
        records: Sequence[LogRecord],
    ) -> Judgement:
        numbers, generation = self._dictionary, self._generation
        carried, kept_since = await _compare_progress(connection, generation, slices)
        known = replace(
            await _look_up(connection, generation, records, numbers.owners),
            kept_since=kept_since,
        )
        await numbers.learn_series(
            connection,
            (
                (row.indicator, row.agency, row.locality, row.valid_from)
                for row in known.rows.values()
                if row.indicator is not None
            ),
        )
        judgement = judge(records, known, self._kept_for)
        await write_rows(connection, generation, judgement, numbers)
        stated = stated_days(judgement, numbers)
        await write_totals(connection, generation, judgement, numbers, stated=stated)
        await change_carried(
            connection,
            generation,
            numbers,
            carried=carried,
            deltas=judgement.deltas,
            stated=stated,
        )
        await write_reports(connection, generation, judgement, numbers)
        if generation.publishes:
            await write_rejects(
                connection,
                generation,
                judgement.rejects,
                records=records,
                raw={part.partition: part.raw for part in slices},
            )
        await _set_progress(connection, generation, judgement, slices)
        return judgement


async def _compare_progress(
    connection: Connection, generation: Generation, slices: Sequence[Slice]
) -> tuple[date | None, Mapping[int, datetime]]:
    """Hold the batch against the progress rows, and lock them.

    Returns:
        The last day carried forward, and since when each partition's ledger is kept.
    """
    rows = await connection.fetch(
        generation.queries["lock_progress"], [part.partition for part in slices]
    )
    stand = {row["partition"]: row["next_offset"] for row in rows}
    for part in slices:
        if stand.get(part.partition) != part.first_offset:
            raise StaleProgressError(
                f"partition {part.partition} stands at {stand.get(part.partition)}, "
                f"the batch begins at {part.first_offset}"
            )
    kept_since = {
        row["partition"]: row["kept_since"]
        for row in rows
        if row["kept_since"] is not None
    }
    return cast("date | None", rows[0]["carried"]), kept_since


async def _look_up(
    connection: Connection,
    generation: Generation,
    records: Sequence[LogRecord],
    owners: Mapping[str, str],
) -> Known:
    """Read what the batch can touch, by key, set-based."""
    queries = generation.queries
    keys = [record.key for record in records if record.key is not None]
    keys.extend(
        ledger_key(entry.data.source, entry.data.id)
        for record in records
        if (entry := record.entry) is not None
        and entry.data.source is not None
        and entry.data.id is not None
    )
    stand: list[UUID] = []
    waited_for: list[UUID] = []
    for key, waits in await connection.fetch(queries["find_known"], keys):
        (waited_for if waits else stand).append(key)
    found: list[LedgerRow] = []
    if stand:
        rows = await connection.fetch(queries["read_rows"], stand)
        found = [LedgerRow(*row.values()) for row in rows]
    targets: dict[Target, int] = {}
    if waited_for:
        waiting = await connection.fetch(queries["read_waiting"], waited_for)
        targets = {
            cast("Target", (row[0], row[1], row[2])): cast("int", row[3])
            for row in waiting
        }
    return Known({row.key: row for row in found}, targets, owners)


async def _set_progress(
    connection: Connection,
    generation: Generation,
    judgement: Judgement,
    slices: Sequence[Slice],
) -> None:
    classes = [judgement.classes[part.partition] for part in slices]
    status = await connection.execute(
        generation.queries["advance_progress"],
        [part.partition for part in slices],
        [part.first_offset for part in slices],
        [part.next_offset for part in slices],
        [part.last_record_hash for part in slices],
        [part.records[-1].logged_at for part in slices],
        [each.counted for each in classes],
        [each.duplicates for each in classes],
        [each.reversed for each in classes],
        [each.rejected for each in classes],
        [judgement.kept_since.get(part.partition) for part in slices],
    )
    assert status == f"UPDATE {len(slices)}", status
