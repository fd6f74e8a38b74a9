"""Dropping rows that the ledger may forget, a bounded step at a time (ADR 0015)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import asyncpg

from services.aggregation.sql import SERVING, Generation
from shared.postgres.pool import outages_as_transient

STEP_ROWS_MAX: Final = 2_000
"""Rows that one transaction looks at, and those logged at the same instant."""
BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of dropping did.

    Attributes:
        dropped: Number of rows.
        looked_up_to: Log time from which the next step goes on.
    """

    dropped: int
    looked_up_to: datetime


class RetentionStore:
    """Drops old rows of one generation."""

    def __init__(self, pool: asyncpg.Pool, generation: Generation = SERVING) -> None:
        self._pool = pool
        self._queries = generation.queries

    async def drop_step(
        self, looked_up_to: datetime, *, rows_max: int = STEP_ROWS_MAX
    ) -> Step | None:
        """Drop the next old rows: all of one step's, or none of them.

        A row lies before its partition's `kept_since`, which was committed before and
        never goes back; so whatever batch is being applied meanwhile has forgotten it.

        Args:
            looked_up_to: Where the step before ended, or `BEGINNING`.
            rows_max: Rows to look at.

        Returns:
            None where nothing is left, or another process is at it.

        Raises:
            TransientError: Postgres is away.
        """
        queries = self._queries
        async with (
            outages_as_transient(),
            self._pool.acquire() as connection,
            connection.transaction(),
        ):
            if not await connection.fetchval(queries["hold_retention"]):
                return None
            up_to = await connection.fetchval(
                queries["find_old_rows"], looked_up_to, rows_max
            )
            if up_to is None:
                return None
            dropped = await connection.fetchval(
                queries["drop_old_rows"], looked_up_to, up_to
            )
            return Step(dropped, up_to)

    async def oldest_row(self) -> datetime | None:
        """Return when the oldest row was logged; None where there is none.

        Raises:
            TransientError: Postgres is away.
        """
        async with outages_as_transient(), self._pool.acquire() as connection:
            oldest: datetime | None = await connection.fetchval(
                self._queries["read_oldest_row"]
            )
        return oldest
