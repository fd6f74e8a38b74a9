"""The copy of `uptake.totals`."""

from collections.abc import Mapping

import asyncpg

from services.alerting.core.copied import CaughtUp, Position, TotalsBatch
from services.alerting.core.status import BEHIND_MAX
from services.alerting.sql import CONTROL, COPY
from services.alerting.store.marks import mark_targets
from services.alerting.store.session import Session, columns, transaction
from shared.errors import FatalError


class CopyMovedOnError(Exception):
    """Another replica, or a commit whose answer was lost, has copied some of a batch.

    Normal with several replicas. Nothing of the batch was written: what is behind the
    positions must not be applied again, since of equal revisions the later one counts.

    Attributes:
        next_offsets: Where the copy ends, by partition.
    """

    def __init__(self, next_offsets: Mapping[int, int]) -> None:
        super().__init__(f"the copy ends at {next_offsets}")
        self.next_offsets = next_offsets


class TotalsStore:
    """Writes the copy; any number of replicas may, each message changes it once."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def positions(self, partition_count: int) -> Mapping[int, Position]:
        """Return where to go on in each partition of the topic."""
        async with transaction(self._pool) as session:
            await session.execute(COPY["add_positions"], list(range(partition_count)))
            rows = await session.fetch(COPY["read_positions"])
        return {
            row["partition"]: Position(row["next_offset"], row["last_record_hash"])
            for row in rows
            if row["partition"] < partition_count
        }

    async def apply(self, batch: TotalsBatch) -> int:
        """Take a batch over: rows, sums and positions, all or nothing.

        Compare-and-set: the batch must begin where the copy ends.

        Returns:
            Number of units that changed; their targets are marked for evaluation.

        Raises:
            CopyMovedOnError: Some of it has been copied; leave that out and try again.
            TransientError: Postgres is away; try again.
            FatalError: The copy has gone back behind what this process read.
        """
        async with transaction(self._pool) as session:
            stored = {
                row["partition"]: row["next_offset"]
                for row in await session.fetch(COPY["lock_positions"])
            }
            for partition, stretch in batch.stretches.items():
                if stored.get(partition, 0) < stretch.from_offset:
                    raise FatalError(
                        f"alerting's copy of partition {partition} of uptake.totals "
                        "has gone back: the database was restored or emptied; start "
                        "again to copy what is missing"
                    )
            if any(
                stored.get(partition, 0) > stretch.from_offset
                for partition, stretch in batch.stretches.items()
            ):
                raise CopyMovedOnError(stored)
            changed = await _apply_rows(session, batch)
            if changed:
                await mark_targets(session, sorted(changed))
            await session.execute(
                COPY["save_positions"],
                list(batch.stretches),
                [stretch.next_offset for stretch in batch.stretches.values()],
                [stretch.last_record_hash for stretch in batch.stretches.values()],
            )
        return len(changed)

    async def note_caught_up(self, reached: Mapping[int, CaughtUp]) -> None:
        """Note up to when the copy is complete.

        Targets that were unknown because it was not are judged anew.

        Args:
            reached: By partition.
        """
        async with transaction(self._pool) as session:
            late = await session.fetch(
                COPY["save_caught_up"],
                list(reached),
                [one.end for one in reached.values()],
                [one.age for one in reached.values()],
                BEHIND_MAX,
            )
            if late:
                await session.execute(COPY["wake_unknown"])


async def _apply_rows(session: Session, batch: TotalsBatch) -> set[int]:
    changed: set[int] = set()
    if batch.days:
        rows = await session.fetch(COPY["apply_days"], *columns(batch.days, 9))
        changed.update(row["unit_id"] for row in rows)
        days = sorted({(row.agency, row.indicator, row.day) for row in batch.days})
        await session.execute(CONTROL["mark_claimed_days"], *columns(days, 3))
    if batch.claims:
        await session.execute(CONTROL["apply_claims"], *columns(batch.claims, 6))
    if batch.stated:
        series = await session.fetch(COPY["apply_stated"], *columns(batch.stated, 8))
        if series:
            rows = await session.fetch(
                COPY["restate_series"], *columns([tuple(row) for row in series], 4)
            )
            changed.update(row["unit_id"] for row in rows)
    if batch.reports:
        await session.execute(COPY["apply_reports"], *columns(batch.reports, 4))
    if batch.watermarks:
        late = await session.fetch(
            COPY["read_stale_watermarks"],
            sorted({mark.partition for mark in batch.watermarks}),
            BEHIND_MAX,
        )
        await session.execute(COPY["apply_watermarks"], *columns(batch.watermarks, 3))
        if late:
            await session.execute(COPY["wake_unknown"])
    return changed
