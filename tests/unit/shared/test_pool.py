"""What of the driver's errors is an outage, and what is a bug."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from shared.errors import TransientError
from shared.postgres.pool import outages_as_transient


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset"),
        TimeoutError(),
        asyncpg.AdminShutdownError("going down"),
        asyncpg.DiskFullError("no room"),
        asyncpg.InterfaceError("the underlying connection is closed"),
        asyncpg.InternalClientError(
            "cannot switch to state 15; another operation (2) is in progress"
        ),
    ],
)
async def test_outages_are_waited_out(error: Exception) -> None:
    """The same statement may succeed later, unchanged."""
    with pytest.raises(TransientError, match="postgres is away"):
        async with outages_as_transient():
            raise error


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UniqueViolationError("stands twice"),
        asyncpg.CheckViolationError("promise 3"),
        asyncpg.InterfaceError("another operation is in progress"),
        asyncpg.InternalClientError("unknown protocol state"),
    ],
)
async def test_bugs_are_not(error: Exception) -> None:
    """Waiting would hide them."""
    with pytest.raises(type(error)):
        async with outages_as_transient():
            raise error


async def test_rollback_that_cannot_be_sent_hides_no_outage() -> None:
    """Nor does the pool's reset of the connection after it."""
    with pytest.raises(TransientError, match="postgres is away"):
        async with outages_as_transient(), _reset(), _reset():
            raise asyncpg.InternalClientError(
                "cannot switch to state 21; another operation (2) is in progress"
            )


async def test_reset_that_fails_after_a_bug_hides_no_bug() -> None:
    """Only what was an outage from the beginning is waited out."""
    with pytest.raises(asyncpg.InterfaceError, match="in progress"):
        async with outages_as_transient(), _reset():
            raise asyncpg.InternalClientError("unknown protocol state")


@asynccontextmanager
async def _reset() -> AsyncIterator[None]:
    try:
        yield
    finally:
        raise asyncpg.InterfaceError(
            "cannot perform operation: another operation is in progress"
        )
