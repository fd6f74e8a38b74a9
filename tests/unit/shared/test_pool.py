"""What of the driver's errors is an outage, and what is a bug."""

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
