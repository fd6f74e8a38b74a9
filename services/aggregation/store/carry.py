"""Levels carried forward: kept equal to what they were carried from (ADR 0012).

A batch changes them in its own transaction, where what it brings is about a day that
was carried already. A day is carried forward in a transaction that holds writers off,
so none of them can have looked for carried days before and add to the day after.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from asyncpg.pool import PoolConnectionProxy

from services.aggregation.core.carry import is_kept, next_carry
from services.aggregation.core.judge import Delta
from services.aggregation.sql import Generation
from services.aggregation.store.dictionary import Dictionary

Connection = PoolConnectionProxy
StatedDay = tuple[int, date, int]
"""(series, day, partition) of a statement that came or went."""
# Writers queue behind whoever waits to hold them off; a long batch has us come again.
WRITERS_WAIT: Final = "2s"


async def change_carried(
    connection: Connection,
    generation: Generation,
    numbers: Dictionary,
    *,
    carried: date | None,
    deltas: Sequence[Delta],
    stated: Sequence[StatedDay],
) -> None:
    """Bring what was carried forward in line with a batch's totals and statements.

    Args:
        connection: In the batch's transaction, after daily totals and statements.
        generation: Whose levels.
        numbers: Of the series.
        carried: The last day carried forward, as read under the batch's locks.
        deltas: All that the batch added to daily totals.
        stated: Statements that came or went.
    """
    if carried is None:
        return
    late = [delta for delta in deltas if delta.key.day <= carried]
    if late:
        await connection.execute(
            generation.queries["add_to_carried"],
            [numbers.series[delta.key[:4]] for delta in late],
            [delta.key.day for delta in late],
            [Decimal(delta.count) for delta in late],
            [Decimal(delta.amount) for delta in late],
            min(delta.key.day for delta in late),
        )
    restated = [(series, day) for series, day, _ in stated if day <= carried]
    if restated:
        first = min(day for _, day in restated)
        series = sorted({number for number, _ in restated})
        await connection.execute(generation.queries["drop_carried"], first, series)
        # In order, since each day is carried from the one before.
        for row in await connection.fetch(generation.queries["read_carries"], first):
            await connection.execute(
                generation.queries["carry_levels"], row["day"], row["base"], series
            )


async def carry_forward(connection: Connection, generation: Generation) -> date | None:
    """Carry the next day forward, if one has settled; in a transaction of its own.

    Returns:
        The day; None where there is none to carry.

    Raises:
        asyncpg.LockNotAvailableError: Writers did not let go in time.
    """
    if await _next(connection, generation) is None:
        return None
    async with connection.transaction():
        # Nothing else is locked before, so a rebuild's switch never waits for us while
        # we wait for it.
        await connection.execute(generation.queries["limit_lock_wait"], WRITERS_WAIT)
        await connection.execute(generation.queries["hold_writers"])
        return await _carry_next(connection, generation)


async def _carry_next(connection: Connection, generation: Generation) -> date | None:
    # Another replica, or a writer that was at work, may have been first.
    found = await _next(connection, generation)
    if found is None:
        return None
    day, base = found
    await connection.execute(generation.queries["carry_levels"], day, base, None)
    await connection.execute(generation.queries["note_carry"], day)
    if base is not None and not is_kept(base):
        await connection.execute(generation.queries["drop_carry"], base)
        await connection.execute(generation.queries["drop_carried_day"], base)
    return day


async def _next(
    connection: Connection, generation: Generation
) -> tuple[date, date | None] | None:
    """Return the next day to carry forward and the last one carried."""
    state = await connection.fetchrow(generation.queries["read_carry_state"])
    assert state is not None, "a query without FROM has one row"
    first, last, carried = state
    day = next_carry(first, last, carried)
    return None if day is None else (day, carried)
