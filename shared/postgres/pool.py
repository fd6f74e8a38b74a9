"""Connection pools with bounds, and one translation of driver errors."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from shared.errors import FatalError, TransientError
from shared.settings import PostgresSettings

CONNECT_TIMEOUT_SECONDS: Final = 5.0

# What an outage looks like: the server is away, restarting, out of room, or gave our
# transaction up. The same statement may succeed later, unchanged.
TRANSIENT_ERRORS: Final = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.CannotConnectNowError,
    asyncpg.TransactionRollbackError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,
)


async def open_pool(
    settings: PostgresSettings, *, role: str | None, size_max: int
) -> asyncpg.Pool:
    """Open a pool whose sessions act as one service's role.

    Args:
        settings: Where and with which limits.
        role: Role to take on after login; the DSN's user must be a member of it.
        size_max: Upper bound of connections.

    Raises:
        TransientError: The server does not answer for now.
        FatalError: The server answers and turns us away (role, database, password), or
            we do not believe its certificate.
    """
    options = {
        "application_name": role or "uptake",
        "statement_timeout": str(
            int(settings.postgres_statement_timeout_seconds * 1000)
        ),
        "idle_in_transaction_session_timeout": "60000",
        "timezone": "UTC",
    }
    if role is not None:
        options["role"] = role
    try:
        return await asyncpg.create_pool(
            settings.postgres_dsn.get_secret_value(),
            min_size=1,
            max_size=size_max,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=settings.postgres_statement_timeout_seconds + 5,
            server_settings=options,
        )
    except TRANSIENT_ERRORS as error:
        distrust = _describe_distrust(error)
        if distrust is not None:
            raise FatalError(distrust) from error
        raise TransientError(f"postgres does not answer: {error}") from error
    except (asyncpg.PostgresError, ValueError) as error:
        raise FatalError(f"postgres refuses the connection: {error}") from error


def _describe_distrust(error: BaseException) -> str | None:
    """Say what is wrong with TLS for good; to the driver it looks like an outage."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            "postgres shows a certificate that is not accepted: "
            f"{error.verify_message}; check sslrootcert and the host name in "
            "UPTAKE_POSTGRES_DSN"
        )
    if isinstance(error, ssl.SSLError) and error.library != "SSL":
        return (
            f"postgres: a file that UPTAKE_POSTGRES_DSN names holds no certificate or "
            f"key: {error.reason}"
        )
    if isinstance(error, ConnectionError) and "rejected SSL upgrade" in str(error):
        return "postgres speaks no TLS, and UPTAKE_POSTGRES_DSN demands it (sslmode)"
    return None


@asynccontextmanager
async def outages_as_transient() -> AsyncIterator[None]:
    """Turn what an outage of Postgres raises into `TransientError`."""
    try:
        yield
    except TRANSIENT_ERRORS as error:
        raise TransientError(
            f"postgres is away: {type(error).__name__}: {error}"
        ) from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        if not _is_outage(error):
            raise
        raise TransientError(f"postgres is away: {error}") from error


def _is_outage(error: BaseException | None) -> bool:
    """Tell an outage from misuse of the driver, which raises the same for both."""
    match error:
        case asyncpg.InternalClientError() if "another operation (2)" in str(error):
            # The server's last word came between two statements, and the connection's
            # end is not known yet (asyncpg issue 784); the pool throws it away.
            return True
        case asyncpg.InterfaceError() if "closed" in str(error):
            return True
        case asyncpg.InterfaceError() | asyncpg.InternalClientError():
            # Of a connection in that state neither a rollback nor the pool's reset
            # come through, and what they raise stands before what was wrong.
            return _is_outage(error.__context__)
        case _:
            return isinstance(error, TRANSIENT_ERRORS)
