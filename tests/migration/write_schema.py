"""Write each service's schema.sql from its migrations.

`python -m tests.migration.write_schema`, on an embedded PostgreSQL of its own.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

import asyncpg

from services.cli.embedded.postgres import EmbeddedPostgres
from tests.support.database_schema import (
    ROOT,
    owners,
    schema_file,
    schema_from_migrations,
)


async def write_schemas(folder: Path) -> None:
    """Make a database for each service and write what its migrations made.

    Args:
        folder: An empty one, for the server.
    """
    async with EmbeddedPostgres(folder / "server", durable=False) as server:
        for owner in owners():
            connection = await asyncpg.connect(server.dsn)
            await connection.execute(f"CREATE DATABASE {owner}")
            await connection.close()
            dsn = f"{server.dsn.rpartition('/')[0]}/{owner}"
            text = await schema_from_migrations(owner, dsn)
            schema_file(owner).write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {schema_file(owner).relative_to(ROOT)}\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(write_schemas(Path(scratch)))
