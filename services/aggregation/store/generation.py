"""The next generation of ledger and totals: made, compared, switched to (ADR 0010).

Whoever holds the rebuild has one session: its advisory lock keeps other rebuilds out,
and the switch is one transaction of that session. A crash anywhere leaves either the
old generation serving beside a next one that can be gone on with, or the new one.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.aggregation.sql import (
    GENERATION_QUERIES,
    GENERATION_TABLES,
    NEXT,
    SERVING,
)
from services.aggregation.store.ledger import Progress
from services.aggregation.store.totals import CHANGE_KEYS_MAX
from shared.errors import FatalError
from shared.postgres.pool import outages_as_transient

OLD_SCHEMA: Final = "aggregation_old"
DIFFERENCES_SHOWN_MAX: Final = 20
# A killed rebuild's session may take a moment to notice.
OTHER_REBUILD_WAIT: Final = "5s"
# The fence is asked for while nothing else is held, so a long wait hurts nobody.
FENCE_WAIT: Final = "10s"
# Readers queue behind whoever waits to keep them off; below the server's deadlock
# check, so that it is always the switch that gives way.
READERS_WAIT: Final = "500ms"


class SwitchBusyError(Exception):
    """Writers or long reads did not let go in time; nothing changed, try again."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that the generations do not have alike.

    Attributes:
        what: The table.
        key: Its key, in words.
        kept: What the generation that serves has; None where it lacks the row.
        rebuilt: What the next one has; None where it lacks the row.
    """

    what: str
    key: str
    kept: str | None
    rebuilt: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the two generations differ.

    Attributes:
        differing: Number of rows.
        examples: The first of them, by table and key.
    """

    differing: int
    examples: tuple[Difference, ...]


class GenerationStore:
    """Where a rebuild begins: with being the only one."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def hold(self) -> AsyncIterator["HeldRebuild"]:
        """Hold the rebuild while the body runs.

        Raises:
            FatalError: Another rebuild runs.
            TransientError: Postgres is away, or went away while the body ran.
        """
        async with outages_as_transient(), self._pool.acquire() as connection:
            try:
                async with connection.transaction():
                    await _limit_lock_wait(connection, OTHER_REBUILD_WAIT)
                    await connection.execute(GENERATION_QUERIES["hold_rebuild"])
            except asyncpg.LockNotAvailableError as error:
                raise FatalError(
                    "another rebuild of this database is running; nothing was changed"
                ) from error
            await connection.execute(GENERATION_QUERIES["notice_our_end"])
            yield HeldRebuild(connection)


class HeldRebuild:
    """The session that makes the next generation."""

    def __init__(self, connection: PoolConnectionProxy) -> None:
        self._connection = connection

    async def serving_table(self) -> int | None:
        """Return which table holds the progress that serves."""
        return await self._identify(SERVING.schema)

    async def next_table(self) -> int | None:
        """Return which table holds the next generation's progress, if there is one."""
        return await self._identify(NEXT.schema)

    async def _identify(self, schema: str) -> int | None:
        query = GENERATION_QUERIES["identify_progress"]
        found: int | None = await self._connection.fetchval(query, schema)
        return found

    async def prepare(self, *, afresh: bool) -> bool:
        """Make the next generation's tables, unless it can be gone on with.

        One that an older or newer release began is begun again.

        Args:
            afresh: Begin again in any case.

        Returns:
            Whether an earlier one is gone on with.

        Raises:
            FatalError: There is nothing to rebuild.
        """
        async with self._connection.transaction():
            served = await self._describe(SERVING.schema)
            if set(served) != set(GENERATION_TABLES):
                raise FatalError(
                    "the ledger's tables are missing; run `uptake migrate`"
                )
            if not afresh and await self._describe(NEXT.schema) == served:
                return True
            await self._carry_out("write_removal", NEXT.schema)
            await self._carry_out(
                "write_creation", SERVING.schema, NEXT.schema, list(GENERATION_TABLES)
            )
            if await self._describe(NEXT.schema) != served:
                raise FatalError(
                    "the ledger's tables cannot be copied as they are: a partitioned "
                    "table, a trigger's constraint or a foreign key rests on them"
                )
        return False

    async def remove_next(self) -> None:
        """Remove the next generation."""
        async with self._connection.transaction():
            await self._carry_out("write_removal", NEXT.schema)

    async def stands(self) -> Mapping[int, Progress]:
        """Return where the generation that serves stands, by partition."""
        rows = await self._connection.fetch(GENERATION_QUERIES["read_stands"])
        return {row["partition"]: Progress(*row.values()) for row in rows}

    async def gather_statistics(self) -> None:
        """Have the planner know the next generation before it serves."""
        await self._carry_out("write_statistics", NEXT.schema, list(GENERATION_TABLES))

    @asynccontextmanager
    async def fence(self) -> AsyncIterator[None]:
        """Keep writers of the serving generation off while the body runs.

        One transaction: what the body changes is committed with the end of the fence,
        or not at all. Readers go on.

        Raises:
            SwitchBusyError: Writers, or long reads, did not let go in time.
        """
        try:
            async with self._connection.transaction():
                await self._connection.execute(GENERATION_QUERIES["name_everything"])
                await _limit_lock_wait(self._connection, FENCE_WAIT)
                await self._connection.execute(GENERATION_QUERIES["fence"])
                yield
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            raise SwitchBusyError(str(error)) from error

    async def compare(self) -> Comparison:
        """Compare the generations row by row; inside the fence, at equal offsets."""
        rows = await self._connection.fetch(
            GENERATION_QUERIES["compare_generations"], DIFFERENCES_SHOWN_MAX
        )
        return Comparison(
            rows[0]["differing"] if rows else 0,
            tuple(
                Difference(row["what"], row["key"], row["kept"], row["rebuilt"])
                for row in rows
            ),
        )

    async def agencies(self) -> list[str]:
        """Return every agency that has a series."""
        rows = await self._connection.fetch(GENERATION_QUERIES["read_agencies"])
        return [row["agency"] for row in rows]

    async def note_differing(self, partitions: Mapping[str, int]) -> None:
        """Note what differs to be published again, as the next generation has it.

        Args:
            partitions: Of each agency; its number in the log.
        """
        await self._connection.execute(
            GENERATION_QUERIES["note_differing"],
            list(partitions),
            list(partitions.values()),
            CHANGE_KEYS_MAX,
        )

    async def switch(self) -> None:
        """Put the next generation in the place of the serving one; inside the fence.

        Raises:
            FatalError: Something that is not ours rests on the tables.
        """
        tables = list(GENERATION_TABLES)
        if await self._describe(NEXT.schema) != await self._describe(SERVING.schema):
            raise FatalError(
                "the tables were migrated meanwhile; run the rebuild again"
            )
        views = await self._fetch("write_views", SERVING.schema, tables)
        names = [view["name"] for view in views]
        await _limit_lock_wait(self._connection, READERS_WAIT)
        await self._carry_out("write_locks", names, SERVING.schema, tables)
        await self._carry_out("write_moves", SERVING.schema, OLD_SCHEMA, tables)
        await self._carry_out("write_moves", NEXT.schema, SERVING.schema, tables)
        try:
            for view in views:
                await self._connection.execute(view["statement"])
            await self._carry_out("write_removal", OLD_SCHEMA)
        except (
            asyncpg.DependentObjectsStillExistError,
            asyncpg.InsufficientPrivilegeError,
        ) as error:
            raise FatalError(
                "something beside uptake's own views rests on the ledger's tables, so "
                f"they cannot be exchanged; nothing was changed ({_in_short(error)})"
            ) from error

    async def _describe(self, schema: str) -> dict[str, str]:
        rows = await self._fetch("describe_shape", schema, list(GENERATION_TABLES))
        return {row["name"]: row["shape"] for row in rows}

    async def _fetch(self, name: str, *parameters: object) -> list[asyncpg.Record]:
        return await self._connection.fetch(GENERATION_QUERIES[name], *parameters)

    async def _carry_out(self, name: str, *parameters: object) -> None:
        """Run the statements that a query returns."""
        for row in await self._fetch(name, *parameters):
            await self._connection.execute(row[0])


async def _limit_lock_wait(connection: PoolConnectionProxy, wait: str) -> None:
    await connection.execute(GENERATION_QUERIES["limit_lock_wait"], wait)


def _in_short(error: asyncpg.PostgresError) -> str:
    detail: str | None = error.detail
    return " ".join((detail or str(error)).split())
