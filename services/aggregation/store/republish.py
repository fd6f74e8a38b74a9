"""All totals noted in the outbox once more, a page at a time.

Each page is one transaction. Noting is harmless however often it is done: what is
published is the value that a total has then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import asyncpg

from services.aggregation.sql import REPUBLISH_QUERIES
from services.aggregation.store.retention import BEGINNING
from services.aggregation.store.totals import CHANGE_KEYS_MAX
from shared.errors import FatalError
from shared.postgres.pool import outages_as_transient

PAGE_ROWS: Final = CHANGE_KEYS_MAX
# Far more than can wait: a bound for the sake of having one.
CHANGES_MAX: Final = 100_000
Place = tuple[object, ...]
"""A key of the table: where a page ends."""


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
    Part("daily totals", "note_days", (date.min, 0)),
    Part("statements", "note_statements", ("", "", BEGINNING)),
    Part("controls", "note_controls", ("", "", BEGINNING)),
    Part("last reports", "note_reports", ("", "")),
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

    async def note(
        self, part: Part, after: Place, partitions: Mapping[str, int]
    ) -> Page:
        """Note a page; nobody waits for it.

        Args:
            part: Of which table.
            after: Where the last page ended.
            partitions: Of each agency; its number in the log.
        """
        async with outages_as_transient(), self._pool.acquire() as connection:
            row = await connection.fetchrow(
                REPUBLISH_QUERIES[part.query],
                *after,
                self.page_rows,
                list(partitions),
                list(partitions.values()),
            )
        # The key's columns, and the number of rows behind them.
        return Page(0, None) if row is None else Page(row["rows"], tuple(row)[:-1])

    async def end(self) -> int:
        """Return the last change that is noted."""
        return await self._number("read_end")

    async def waiting(self) -> int:
        """Return how many totals wait to be published."""
        return await self._number("count_waiting", CHANGES_MAX)

    async def left(self, end: int) -> int:
        """Return how many of those wait that were noted up to an end."""
        return await self._number("count_left", end)

    async def _number(self, name: str, *parameters: object) -> int:
        async with outages_as_transient(), self._pool.acquire() as connection:
            number: int = await connection.fetchval(
                REPUBLISH_QUERIES[name], *parameters
            )
        return number
