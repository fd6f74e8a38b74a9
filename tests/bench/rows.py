"""The benchmark's Postgres, and ledgers that are long already.

Those are made by SQL once and kept between runs; each drain has a copy.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from services.cli.embedded.postgres import EmbeddedPostgres
from tests.support.stack import Stack

SCHEMA = Path("services/aggregation/sql/schema.sql")
# Stated with the figures: a quarter of a small server's memory, and checkpoints far
# enough apart that a page is not written whole again and again. What is written whole
# is not compressed: pages of a random key do not become smaller, and trying cost
# Postgres half of its time (ADR 0013).
SETTINGS = {
    "shared_buffers": "6GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "30min",
    "wal_compression": "off",
}
FILL_ROWS = 1_000_000
FILL_SECONDS_MAX = 1800


@asynccontextmanager
async def bench_postgres(
    folder: Path, settings: Mapping[str, str] = SETTINGS
) -> AsyncIterator[EmbeddedPostgres]:
    """Run a PostgreSQL that is durable, on what an earlier run kept, if anything."""
    postgres, is_kept = _describe_postgres(folder, settings)
    try:
        await (postgres.restart() if is_kept else postgres.start())
        yield postgres
    finally:
        await postgres.stop()


def _describe_postgres(
    folder: Path, settings: Mapping[str, str]
) -> tuple[EmbeddedPostgres, bool]:
    """Return the server of a folder, and whether it has data of an earlier run."""
    secret, server = folder / "secret", folder / "server"
    is_kept = secret.exists() and (server / "data" / "PG_VERSION").exists()
    if not is_kept:
        folder.mkdir(parents=True, exist_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(18), encoding="ascii")
    password = secret.read_text(encoding="ascii")
    return EmbeddedPostgres(server, settings=settings, password=password), is_kept


async def use_fresh_database(
    stack: Stack, postgres: EmbeddedPostgres, *, rows: int = 0
) -> str:
    """Give a stack a database that has applied nothing; return its address.

    Args:
        stack: Whose database it will be.
        postgres: Where it is made.
        rows: How many of other days its ledger holds already.
    """
    template = await _filled_database(stack, postgres, rows) if rows else "template1"
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
    await connection.execute(
        f'CREATE DATABASE bench TEMPLATE "{template}" STRATEGY FILE_COPY',
        timeout=FILL_SECONDS_MAX,
    )
    stack.dsn = postgres.dsn_of("bench")
    await stack.migrate()
    if rows:
        await _read_through(stack.dsn)
    # Every drain begins alike: each page that it changes is written whole once.
    await connection.execute("CHECKPOINT", timeout=FILL_SECONDS_MAX)
    await connection.close()
    return stack.dsn


async def _filled_database(stack: Stack, postgres: EmbeddedPostgres, rows: int) -> str:
    """Return the database with so many rows, making it where it is not kept."""
    name, making = f"rows_{rows}_{_shape()}", "rows_making"
    connection = await asyncpg.connect(postgres.dsn)
    kept = await connection.fetchval(
        "SELECT count(*) FROM pg_database WHERE datname = $1", name
    )
    if not kept:
        await connection.execute(f"DROP DATABASE IF EXISTS {making} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {making}")
        stack.dsn = postgres.dsn_of(making)
        await stack.migrate()
        await _fill_ledger(stack.dsn, rows)
        # Only one that is complete bears the name under which it is looked for.
        await connection.execute(f'ALTER DATABASE {making} RENAME TO "{name}"')
    await connection.close()
    return name


def _shape() -> str:
    """Name the tables' shape; rows that were made for another are of no use."""
    return hashlib.sha256(SCHEMA.read_bytes()).hexdigest()[:12]


async def _read_through(dsn: str) -> None:
    """Have the ledger's index in memory, as a service that runs has it."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    await connection.fetchval(
        "SELECT count(key) FROM aggregation.ledger", timeout=FILL_SECONDS_MAX
    )
    await connection.close()


async def _fill_ledger(dsn: str, rows: int) -> None:
    """Give the ledger rows with random keys, of earlier days, by SQL.

    Its key is made afterwards, as full as random inserts leave one (about 70 %).
    """
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "ALTER TABLE aggregation.ledger DROP CONSTRAINT ledger_pkey"
    )
    for start in range(0, rows, FILL_ROWS):
        await connection.execute(
            """
            INSERT INTO aggregation.ledger (key, logged_at, occurred_at, log_offset,
                count, amount, origin_id, series_id, day, partition, type_id, kind, id)
            SELECT gen_random_uuid(), now(), now(), -1, 1, 0, 1, 1,
                current_date - 30, 0, 1, 'c', md5(n::text)
            FROM generate_series($1::bigint, $2::bigint) AS n
            """,
            start,
            min(start + FILL_ROWS, rows) - 1,
            timeout=FILL_SECONDS_MAX,
        )
        print(f"  ledger filled to {min(start + FILL_ROWS, rows):,} rows", flush=True)  # noqa: T201 -- long work shows progress
    await connection.execute("SET maintenance_work_mem = '1GB'")
    await connection.execute(
        "ALTER TABLE aggregation.ledger ADD CONSTRAINT ledger_pkey "
        "PRIMARY KEY (key) WITH (fillfactor = 70)",
        timeout=FILL_SECONDS_MAX,
    )
    await connection.execute(
        "VACUUM (ANALYZE) aggregation.ledger", timeout=FILL_SECONDS_MAX
    )
    await connection.close()
