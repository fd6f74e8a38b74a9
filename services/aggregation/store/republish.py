"""All totals noted in the outbox once more, a page at a time.

Each page is one transaction. Noting is harmless however often it is done: what is
published is the value that a total has then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import asyncpg

from services.aggregation.sql import QUERIES, REPUBLISH_QUERIES
from shared.errors import FatalError
from shared.postgres.pool import outages_as_transient

PAGE_ROWS: Final = 5_000
Place = tuple[object, object]
"""A key of two columns: where a page ends."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the tables whose rows are published.

    Attributes:
        name: For people.
        query: Notes a page of it.
        first_place: Before all of its rows.
    """

    name: str
    query: str
    first_place: Place


PARTS: Final = (
    Part("daily totals", "mark_days", (0, date.min)),
    Part("statements", "mark_statements", ("", "")),
    Part("last reports", "mark_reports", ("", "")),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What was noted.

    Attributes:
        rows: How many.
        place: Where to go on; None once there are no more.
    """

    rows: int
    place: Place | None


class RepublishStore:
    """What a republication reads and notes."""

    def __init__(self, pool: asyncpg.Pool, *, page_rows: int = PAGE_ROWS) -> None:
        """Take the pool and the size of a page."""
        self._pool = pool
        self.page_rows = page_rows

    async def agencies(self) -> list[str]:
        """Return every agency that has totals.

        Raises:
            FatalError: The tables are not there.
            TransientError: Postgres is away; so for every method.
        """
        try:
            async with outages_as_transient(), self._pool.acquire() as connection:
                rows = await connection.fetch(REPUBLISH_QUERIES["read_agencies"])
        except asyncpg.UndefinedTableError as error:
            raise FatalError(
                f"the ledger's tables are missing ({error}); run `uptake migrate`"
            ) from error
        return [row["agency"] for row in rows]

    async def count(self) -> int:
        """Return how many rows there are to note, about."""
        return await self._number("count_totals")

    async def mark(
        self, part: Part, after: Place, partitions: Mapping[str, int]
    ) -> Page:
        """Note a page.

        Writers of the ledger wait meanwhile, a fraction of a second.

        Args:
            part: Of which table.
            after: Where the last page ended.
            partitions: Of each agency; its number in the log.
        """
        async with (
            outages_as_transient(),
            self._pool.acquire() as connection,
            connection.transaction(),
        ):
            # As every writer does, and in the same order.
            numbers = sorted(set(partitions.values()))
            await connection.execute(QUERIES["lock_progress"], numbers)
            row = await connection.fetchrow(
                REPUBLISH_QUERIES[part.query],
                *after,
                self.page_rows,
                list(partitions),
                list(partitions.values()),
            )
        return Page(0, None) if row is None else Page(row["rows"], (row[0], row[1]))

    async def ends(self) -> dict[int, int]:
        """Return where each partition stands."""
        async with outages_as_transient(), self._pool.acquire() as connection:
            rows = await connection.fetch(REPUBLISH_QUERIES["read_ends"])
        return {row["partition"]: row["next_offset"] for row in rows}

    async def waiting(self, rows_max: int) -> int:
        """Return how many totals wait to be published, counted up to a bound."""
        return await self._number("count_waiting", rows_max)

    async def left(self, ends: Mapping[int, int]) -> int:
        """Return how many of those wait that were noted before these ends."""
        return await self._number("count_left", list(ends), list(ends.values()))

    async def _number(self, name: str, *parameters: object) -> int:
        async with outages_as_transient(), self._pool.acquire() as connection:
            number: int = await connection.fetchval(
                REPUBLISH_QUERIES[name], *parameters
            )
        return number
