"""What a service's migrations make of an empty database, as text."""

import asyncio
import re
from pathlib import Path
from typing import Final

from services.cli.embedded.postgres import find_postgres
from services.cli.migrate import OWNERS, _run_dbmate, dbmate_url

ROOT: Final = Path(__file__).parents[2]
DUMP_SECONDS_MAX: Final = 30.0
# Which PostgreSQL made the dump, and a key that is another one each time.
_PASSING: Final = re.compile(
    r"^(-- Dumped (from|by) .*|\\(un)?restrict .*|SET transaction_timeout.*)\n",
    re.MULTILINE,
)


def owners() -> tuple[str, ...]:
    """Return the services that have tables, in the order of their migrations."""
    return tuple(owner for owner in OWNERS if any(_migrations(owner).glob("*.sql")))


def schema_file(owner: str) -> Path:
    """Return where the committed schema of a service is."""
    return ROOT / "services" / owner / "sql" / "schema.sql"


async def schema_from_migrations(owner: str, dsn: str) -> str:
    """Apply a service's migrations to an empty database and dump what they made.

    Each service's on their own: no service's tables rest on another's.
    """
    url = dbmate_url(dsn)
    applied = await _run_dbmate(owner, url)
    assert applied, f"no migration of {owner} was applied"
    again = await _run_dbmate(owner, url)
    assert again == (), "a migration is applied twice"
    return await _dump(dsn)


async def _dump(dsn: str) -> str:
    process = await asyncio.create_subprocess_exec(
        find_postgres() / "pg_dump",
        "--schema-only",
        "--exclude-table=public.uptake_migrations_*",
        f"--dbname={dsn}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
    )
    async with asyncio.timeout(DUMP_SECONDS_MAX):
        out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    text = _PASSING.sub("", out.decode())
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _migrations(owner: str) -> Path:
    return ROOT / "services" / owner / "sql" / "migrations"
