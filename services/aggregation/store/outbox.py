"""The outbox: what is to be published, and forgetting it once it is durable.

At least once: a crash between publishing and forgetting publishes again. Totals are
absolute and carry a revision, rejects carry their coordinates as id, so a repeat is
harmless.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import asyncpg

from services.aggregation.sql import QUERIES
from shared.postgres.pool import outages_as_transient

OutboxPlace = tuple[int, bytes, int, date]
"""(partition, kind, series, day): what a total is published under, in their order."""
FIRST_PLACE: Final[OutboxPlace] = (-1, b" ", 0, date.min)
CHANGES_MAX: Final = 256
CHANGED_KEYS_ENOUGH: Final = 100_000
"""How much is picked at once."""


@dataclass(frozen=True, slots=True)
class ChangedTotal:
    """A total that changed, with the value that it has now.

    Attributes:
        kind: b"d" daily total, b"s" statement of a day, b"k" control of a day,
            b"l" last report.
        revision: Next offset of the partition with which it has this value.
        level: Of a statement; None once every statement of the day is voided.
        reported_at: Of a last report.
        claimed: Of a control; None once every control of the day is voided.
    """

    kind: bytes
    indicator: str
    agency: str
    locality: str | None
    valid_from: date | None
    series_id: int
    day: date
    partition: int
    revision: int
    count: int
    amount: int
    level: int | None
    reported_at: datetime | None
    claimed: int | None = None

    @property
    def place(self) -> OutboxPlace:
        """Return where it stands in the outbox's order."""
        return (self.partition, self.kind, self.series_id, self.day)


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A record on its way to uptake.rejected, bytes unchanged."""

    partition: int
    offset: int
    code: str
    detail: str
    logged_at: datetime
    key: bytes | None
    value: bytes | None


class OutboxStore:
    """The two outbox tables."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def pick_changes(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Return the oldest changes to publish, with how many keys each has."""
        async with outages_as_transient(), self._pool.acquire() as connection:
            rows = await connection.fetch(
                QUERIES["pick_changes"], partitions, CHANGES_MAX, CHANGED_KEYS_ENOUGH
            )
        return {row["change_id"]: row["keys"] for row in rows}

    @staticmethod
    def may_have_left(picked: Mapping[int, int]) -> bool:
        """Say whether changes older than the picking may not have been picked."""
        keys = sum(picked.values())
        return len(picked) >= CHANGES_MAX or keys >= CHANGED_KEYS_ENOUGH

    async def changed_totals(
        self, changes: Collection[int], rows_max: int, *, after: OutboxPlace
    ) -> list[ChangedTotal]:
        """Read a page of the totals that changed, each once, of one snapshot."""
        async with outages_as_transient(), self._pool.acquire() as connection:
            rows = await connection.fetch(
                QUERIES["read_changed_totals"], list(changes), rows_max, *after
            )
        return [
            ChangedTotal(
                kind=row["kind"],
                indicator=row["indicator"],
                agency=row["agency"],
                locality=row["locality"],
                valid_from=row["valid_from"],
                series_id=row["series_id"],
                day=row["day"],
                partition=row["partition"],
                revision=row["revision"],
                count=int(row["count"]),
                amount=int(row["amount"]),
                level=row["level"],
                reported_at=row["logged_at"],
                claimed=row["claimed"],
            )
            for row in rows
        ]

    async def forget_changes(self, changes: Collection[int]) -> None:
        """Forget changes whose totals are durable on Kafka."""
        async with outages_as_transient(), self._pool.acquire() as connection:
            await connection.execute(QUERIES["drop_changes"], list(changes))

    async def note_watermarks(self, watermarks: Mapping[int, datetime]) -> None:
        """Note up to which log time partitions are applied, for those who read totals.

        Ascending, so that two replicas never wait for each other in a circle.
        """
        partitions = sorted(watermarks)
        async with outages_as_transient(), self._pool.acquire() as connection:
            await connection.execute(
                QUERIES["note_watermarks"],
                partitions,
                [watermarks[partition] for partition in partitions],
            )

    async def rejected(
        self, partitions: Sequence[int], rows_max: int
    ) -> list[RejectedRecord]:
        """Read rejected records to publish, in log order."""
        async with outages_as_transient(), self._pool.acquire() as connection:
            rows = await connection.fetch(
                QUERIES["read_outbox_rejected"], partitions, rows_max
            )
        return [RejectedRecord(*row.values()) for row in rows]

    async def forget_rejected(self, published: Sequence[RejectedRecord]) -> None:
        """Forget rejected records that are durable on Kafka."""
        async with outages_as_transient(), self._pool.acquire() as connection:
            await connection.execute(
                QUERIES["drop_outbox_rejected"],
                [record.partition for record in published],
                [record.offset for record in published],
            )
