"""Reads the public views: one command, one snapshot, nothing written."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.cli.render import exact
from shared.errors import FatalError
from shared.postgres.pool import open_pool, outages_as_transient
from shared.settings import PostgresSettings

Snapshot: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


@asynccontextmanager
async def open_snapshot(settings: PostgresSettings) -> AsyncIterator[Snapshot]:
    """Open one read-only transaction that sees one state of the database.

    Takes no role on: whoever may read schema `reporting` may use these commands.

    Raises:
        TransientError: Postgres does not answer for now.
        FatalError: The views are not there or may not be read, or the read took too
            long.
    """
    pool = await open_pool(settings, role=None, size_max=1)
    try:
        async with (
            outages_as_transient(),
            _faults_in_one_line(settings),
            pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection
    finally:
        await pool.close()


@asynccontextmanager
async def _faults_in_one_line(settings: PostgresSettings) -> AsyncIterator[None]:
    try:
        yield
    except asyncpg.QueryCanceledError as error:
        seconds = settings.postgres_statement_timeout_seconds
        raise FatalError(
            f"the read took more than {seconds:g} s; set a higher "
            "UPTAKE_POSTGRES_STATEMENT_TIMEOUT_SECONDS"
        ) from error
    except (
        asyncpg.UndefinedTableError,
        asyncpg.UndefinedFunctionError,
        asyncpg.UndefinedColumnError,
        asyncpg.InvalidSchemaNameError,
    ) as error:
        raise FatalError(
            f"a reporting view is not there ({error}); run `uptake migrate`"
        ) from error
    except asyncpg.InvalidParameterValueError as error:
        # The views refuse what they cannot tell any more, in a sentence.
        raise FatalError(str(error)) from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise FatalError(
            f"postgres: {error}; grant role uptake_reader to the user of "
            "UPTAKE_POSTGRES_DSN"
        ) from error


def exact_values(row: asyncpg.Record) -> dict[str, Any]:
    """Return a row's columns, numeric ones as integers where they are."""
    return {
        name: exact(value) if isinstance(value, Decimal) else value
        for name, value in row.items()
    }
