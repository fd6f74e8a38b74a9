"""How every method of the store reaches Postgres."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from shared.errors import FatalError
from shared.postgres.pool import outages_as_transient

# Connections come out of the pool as proxies with the same methods.
Session = asyncpg.pool.PoolConnectionProxy


@asynccontextmanager
async def transaction(pool: asyncpg.Pool) -> AsyncIterator[Session]:
    """Open a transaction; it commits at the end of the block.

    Raises:
        TransientError: Postgres is away; nothing was changed, or, when the
            connection broke during the commit, all was.
        FatalError: The tables are missing.
    """
    async with outages_as_transient():
        try:
            async with pool.acquire() as session, session.transaction():
                yield session
        except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
            raise FatalError(
                f"postgres lacks what alerting needs ({error}); run `uptake migrate`"
            ) from error


def columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turn rows into one list per column, as `unnest` wants them.

    Args:
        rows: Any number, also none.
        width: Number of columns.
    """
    if not rows:
        return [[] for _ in range(width)]
    return [list(column) for column in zip(*rows, strict=True)]
