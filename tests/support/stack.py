"""The services of a test, on servers of its own."""

import asyncio
import io
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from services.cli.embedded.child import ChildProcess, log_tail
from services.cli.embedded.ports import free_port
from services.cli.embedded.server import LoopbackServer
from services.cli.migrate import PermissionSettings, migrate_all
from shared.settings import KafkaSettings, PostgresSettings
from tests.support.catalogues import KEYS

PARTITIONS = 4
STOP_SECONDS_MAX = 20.0


async def eventually(
    condition: Callable[[], Awaitable[bool]], *, seconds: float = 30.0, what: str
) -> None:
    """Wait until a condition holds; fail with `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)


@dataclass(slots=True)
class Stack:
    """Servers, catalogue and services of one test.

    Attributes:
        broker: A Kafka broker, embedded or Apache's.
        dsn: A database of the test's own.
        folder: For logs.
        program: What Python is told before a service's module.
        code: Where the services' code lies.
    """

    broker: LoopbackServer
    bootstrap_servers: str
    dsn: str
    catalogue: Path
    folder: Path
    is_embedded: bool
    overrides: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = ("-m",)
    code: Path = Path(__file__).parents[2]
    ports: dict[str, int] = field(default_factory=dict)
    children: dict[str, ChildProcess] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings that the services get."""
        return {
            "UPTAKE_KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "UPTAKE_KAFKA_IDEMPOTENCE": str(not self.is_embedded).lower(),
            "UPTAKE_KAFKA_FETCH_WAIT_MS": "20" if self.is_embedded else "250",
            "UPTAKE_KAFKA_REPLICATION": "1",
            "UPTAKE_KAFKA_PARTITIONS": str(PARTITIONS),
            "UPTAKE_POSTGRES_DSN": self.dsn,
            "UPTAKE_CATALOGUE": str(self.catalogue),
            **self.overrides,
        }

    @property
    def kafka_settings(self) -> KafkaSettings:
        """Return how this test reaches Kafka."""
        return KafkaSettings(
            kafka_bootstrap_servers=self.bootstrap_servers,
            kafka_idempotence=not self.is_embedded,
            kafka_replication=1,
            kafka_partitions=PARTITIONS,
        )

    @property
    def postgres_settings(self) -> PostgresSettings:
        """Return how this test reaches Postgres."""
        return PostgresSettings.model_validate({"postgres_dsn": self.dsn})

    async def migrate(self) -> None:
        """Make tables and topics."""
        await migrate_all(
            self.kafka_settings,
            self.postgres_settings,
            PermissionSettings(catalogue=self.catalogue),
        )

    def spawn(self, service: str, **overrides: str) -> ChildProcess:
        """Start a service without waiting for it.

        Args:
            service: Its name; replicas have a number, as in `aggregation-2`.
            overrides: Settings of this process only.
        """
        module = f"services.{service.partition('-')[0]}"
        port = self.ports.setdefault(service, free_port())
        log_path = self.folder / service / "log"
        log_path.parent.mkdir(exist_ok=True)
        child = ChildProcess(
            [sys.executable, *self.program, module],
            log_path=log_path,
            death_signal="KILL",
            env={
                **os.environ,
                **self.environment,
                "PYTHONPATH": str(self.code),
                "UPTAKE_HTTP_PORT": str(port),
                **overrides,
            },
        )
        child.spawn()
        self.children[service] = child
        return child

    async def start(self, *services: str) -> None:
        """Start services and wait until each is ready."""
        for service in services:
            self.spawn(service)
        for service in services:
            await self.wait_ready(service)

    async def wait_ready(self, service: str, *, seconds: float = 30.0) -> None:
        """Wait until a service says that it is ready."""

        async def is_ready() -> bool:
            assert self.children[service].is_running(), self.log_tail(service)
            try:
                status, _ = await self.get(service, "/health/ready")
            except aiohttp.ClientError:
                return False
            return status == 200

        await eventually(
            is_ready, seconds=seconds, what=f"{service} ready: {self.log_tail(service)}"
        )

    def log_tail(self, service: str) -> str:
        """Return the last lines of a service's log."""
        return log_tail(self.folder / service / "log")

    async def get(self, service: str, path: str) -> tuple[int, str]:
        """Ask a service; return status and text."""
        url = f"http://127.0.0.1:{self.ports[service]}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status, await answer.text()

    async def kill(self, service: str) -> None:
        """End a service as a crash would."""
        await self.children[service].kill()

    async def stop(self) -> None:
        """End what runs."""
        for child in self.children.values():
            await child.kill()

    async def post(
        self,
        body: object,
        *,
        agency: str = "bank",
        query: str = "",
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "Answer":
        """Send events to ingest; a list is a batch, bytes go as they are."""
        kind = "cloudevents-batch" if isinstance(body, list) else "cloudevents"
        url = f"http://127.0.0.1:{self.ports['ingest']}/v1/events{query}"
        sent = {
            "content-type": content_type or f"application/{kind}+json",
            "authorization": f"Bearer {KEYS[agency]}",
            **(headers or {}),
        }
        async with aiohttp.ClientSession() as session:
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            data = io.BytesIO(text)
            async with session.post(url, data=data, headers=sent) as answer:
                return Answer(
                    answer.status,
                    await answer.json(content_type=None),
                    dict(answer.headers),
                )

    async def fetch(self, query: str, *parameters: object) -> list[asyncpg.Record]:
        """Read from the test's database."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(query, *parameters)
        finally:
            await connection.close()

    async def applied(self) -> int:
        """Return how many records of the log have been applied."""
        rows = await self.fetch("SELECT sum(applied) FROM reporting.progress")
        return int(rows[0][0] or 0)

    async def wait_applied(self, count: int, *, seconds: float = 30.0) -> None:
        """Wait until so many records have been applied."""

        async def is_applied() -> bool:
            return await self.applied() >= count

        await eventually(is_applied, seconds=seconds, what=f"{count} records applied")
        assert await self.applied() == count

    async def total(self, indicator: str, locality: str) -> tuple[int, int]:
        """Return (count, amount) of a unit's running total; zeros where none."""
        rows = await self.fetch(
            "SELECT count, amount FROM reporting.running_total "
            "WHERE indicator = $1 AND locality = $2",
            indicator,
            locality,
        )
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    async def classes(self) -> dict[str, int]:
        """Return the class counts over all partitions."""
        rows = await self.fetch(
            "SELECT sum(counted) AS counted, sum(duplicates) AS duplicates, "
            "sum(reversed) AS reversed, sum(rejected) AS rejected "
            "FROM reporting.progress"
        )
        return {name: int(value or 0) for name, value in rows[0].items()}


@dataclass(frozen=True, slots=True)
class Answer:
    """What ingest answered."""

    status: int
    body: Any
    headers: Mapping[str, str]
