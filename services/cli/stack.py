"""The whole system on one machine: servers, tables and topics, services.

Servers are embedded unless both are given. Embedded ones start empty and live and die
together: a database that outlived its log would contradict it.
"""

import asyncio
import json
import math
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.child import log_tail, poll_until
from services.cli.embedded.folder import ServerFolder
from services.cli.embedded.ports import free_port
from services.cli.embedded.postgres import EmbeddedPostgres
from services.cli.embedded.server import LoopbackServer
from services.cli.local_stack import ENVIRONMENT_FILE
from services.cli.migrate import PermissionSettings, migrate_all
from services.cli.shipped import CODE_ROOT
from services.cli.stack_settings import GivenServers, StackSettings
from services.cli.supervisor import (
    ServiceSpec,
    Supervisor,
    local_url,
    write_atomically,
)
from shared.errors import FatalError
from shared.settings import KafkaSettings, PostgresSettings, load_settings

SERVICES: Final = ("ingest", "aggregation", "alerting", "board")
RUN_FILE: Final = "run.json"
# What a person may open first at each service.
FIRST_PATHS: Final = {
    "ingest": "",
    "aggregation": "/metrics",
    "alerting": "/metrics",
    "board": "",
}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StackPlan:
    """What is to run and where.

    Attributes:
        title: The command, e.g. `uptake demo`.
        folder: Everything that is written lies below it.
        catalogue: The catalogue's directory.
        settings: Address and first port of the services.
        given: Servers to use; None to embed them.
        client_environment: Settings for commands beside the stack, e.g. a key.
    """

    title: str
    folder: Path
    catalogue: Path
    settings: StackSettings
    given: GivenServers | None
    client_environment: Mapping[str, str] = field(default_factory=dict, repr=False)


class Stack:
    """Servers and services, started in order and stopped in reverse."""

    def __init__(self, plan: StackPlan, say: Say) -> None:
        """Describe the stack; nothing is started.

        Args:
            plan: What is to run.
            say: Told each line for people.
        """
        self.plan = plan
        self._say = say
        self._postgres: EmbeddedPostgres | None = None
        self._broker: EmbeddedBroker | None = None
        self._supervisor: Supervisor | None = None
        self._specs: tuple[ServiceSpec, ...] = ()
        self._environment: dict[str, str] = {}

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings of the services; holds the database's password."""
        return self._environment

    @property
    def postgres_settings(self) -> PostgresSettings:
        """How this process reaches the database."""
        dsn = self._environment["UPTAKE_POSTGRES_DSN"]
        return PostgresSettings(postgres_dsn=SecretStr(dsn))

    def url(self, service: str) -> str:
        """Return the address of a service.

        Raises:
            KeyError: There is no such service.
        """
        return {spec.name: spec.url for spec in self._specs}[service]

    @contextmanager
    def saying(self, say: Say) -> Iterator[None]:
        """Let another speak for a while, e.g. one that draws bars meanwhile."""
        before, self._say = self._say, say
        try:
            yield
        finally:
            self._say = before

    async def start_servers(self) -> None:
        """Start the embedded servers, both at once, or take the given ones.

        Raises:
            ServerStartError: One did not start.
        """
        require_free_ports(self.plan.settings)
        if self.plan.given is not None:
            self._environment = self._environment_for(self.plan.given)
            self._say(f"  servers       given  {self.plan.given.shown}")
            return
        postgres_port, broker_port = server_ports(self.plan.settings.http_port)
        self._postgres = EmbeddedPostgres(
            self.plan.folder / "postgres", port=postgres_port, durable=False
        )
        self._broker = EmbeddedBroker(self.plan.folder / "broker", port=broker_port)
        self._say(
            f"  {self._postgres.version} and {self._broker.version}, embedded: they "
            "start empty\n  and end with this command\n"
        )
        async with asyncio.TaskGroup() as tasks:
            starting = {
                "postgres": tasks.create_task(_timed_start(self._postgres)),
                "broker": tasks.create_task(_timed_start(self._broker)),
            }
            for name, task in starting.items():
                self._say_ready(name, await task, "")
        self._environment = self._environment_for(
            GivenServers.embedded(self._broker.bootstrap_servers, self._postgres.dsn)
        )

    async def migrate(self) -> None:
        """Make tables and topics, or bring them up to date."""
        started_at = time.monotonic()
        changed = await migrate_all(
            load_settings(
                KafkaSettings,
                kafka_bootstrap_servers=self._environment[
                    "UPTAKE_KAFKA_BOOTSTRAP_SERVERS"
                ],
                kafka_replication=int(self._environment["UPTAKE_KAFKA_REPLICATION"]),
                kafka_partitions=self.plan.settings.kafka_partitions,
            ),
            self.postgres_settings,
            load_settings(PermissionSettings, catalogue=self.plan.catalogue),
        )
        files = sum(len(names) for names in changed.applied.values())
        made = f"{files} migrations, {len(changed.topics)} topics"
        self._say_ready("tables", time.monotonic() - started_at, made)

    def start_services(self) -> None:
        """Start the services, all at once, and write down which process is which.

        Raises:
            FatalError: A process or a file cannot be made.
        """
        self._specs = tuple(self._spec(name) for name in SERVICES)
        self._supervisor = Supervisor(
            self._specs,
            run_path=self.plan.folder / RUN_FILE,
            servers={
                name: {"pid": server.pid, "port": server.port}
                for name, server in self._servers.items()
            },
            say=lambda line: self._say(f"  {line}"),
        )
        self._supervisor.start()

    async def wait_ready(self) -> None:
        """Wait for every service, saying when each is ready.

        Raises:
            FatalError: One is not ready in time.
        """
        supervisor = self._running_supervisor
        async with asyncio.TaskGroup() as tasks:
            waiting = [
                (spec, tasks.create_task(supervisor.wait_ready(spec)))
                for spec in self._specs
            ]
            for spec, task in waiting:
                address = spec.url + FIRST_PATHS[spec.name]
                self._say_ready(spec.name, await task, address)
        # Written last: whoever finds it finds a stack that answers.
        write_atomically(
            self.plan.folder / ENVIRONMENT_FILE,
            json.dumps(
                {
                    **self._environment,
                    **self.plan.client_environment,
                    "UPTAKE_HTTP_PORT": str(self.plan.settings.http_port),
                    "UPTAKE_URL": self.url("ingest"),
                    "UPTAKE_BOARD_URL": self.url("board"),
                },
                indent=2,
            ),
            mode=0o600,
        )

    async def watch(self) -> None:
        """Restart services that end; returns only by cancellation.

        Raises:
            FatalError: An embedded server ended, or a service is given up.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._running_supervisor.watch())
            for name, server in self._servers.items():
                tasks.create_task(_raise_when_ended(name, server))

    async def stop(self) -> None:
        """Stop everything within bounds; harmless when nothing runs."""
        (self.plan.folder / ENVIRONMENT_FILE).unlink(missing_ok=True)
        if self._supervisor is not None:
            await self._supervisor.stop()
        async with asyncio.TaskGroup() as tasks:
            for server in self._servers.values():
                tasks.create_task(server.stop())

    @property
    def _running_supervisor(self) -> Supervisor:
        assert self._supervisor is not None, "services were not started"
        return self._supervisor

    @property
    def _servers(self) -> dict[str, LoopbackServer]:
        servers = {"postgres": self._postgres, "broker": self._broker}
        return {name: server for name, server in servers.items() if server is not None}

    def _environment_for(self, servers: GivenServers) -> dict[str, str]:
        return {
            **servers.environment,
            "UPTAKE_CATALOGUE": str(self.plan.catalogue.absolute()),
            "UPTAKE_HTTP_HOST": self.plan.settings.http_host,
        }

    def _spec(self, name: str) -> ServiceSpec:
        port = self.plan.settings.http_port + SERVICES.index(name)
        inherited = [str(CODE_ROOT), os.environ.get("PYTHONPATH", "")]
        return ServiceSpec(
            name=name,
            command=(sys.executable, "-m", f"services.{name}"),
            host=self.plan.settings.http_host,
            port=port,
            log_path=self.plan.folder.absolute() / "logs" / f"{name}.log",
            environment={
                **os.environ,
                **self._environment,
                "UPTAKE_HTTP_PORT": str(port),
                "UPTAKE_INGEST_URL": self._ingest_url,
                # A checkout is found without being installed.
                "PYTHONPATH": os.pathsep.join(part for part in inherited if part),
            },
        )

    @property
    def _ingest_url(self) -> str:
        """Where alerting asks whether agencies can send; known before it runs."""
        settings = self.plan.settings
        port = settings.http_port + SERVICES.index("ingest")
        return local_url(settings.http_host, port)

    def _say_ready(self, name: str, seconds: float, address: str) -> None:
        self._say(f"  {name:<13} ready {seconds:5.1f} s   {address}".rstrip())


async def _timed_start(server: LoopbackServer) -> float:
    started_at = time.monotonic()
    await server.start()
    return time.monotonic() - started_at


async def _raise_when_ended(name: str, server: LoopbackServer) -> None:
    await poll_until(lambda: not server.is_running, math.inf)
    tail = log_tail(server.log_path)
    raise FatalError(
        f"the embedded {name} ended, and with it the counting: database and log live "
        f"and die together; start again (its log {server.log_path} ends: {tail})"
    )


def server_ports(http_port: int) -> tuple[int, int]:
    """Return a port for Postgres and one for the broker, both for this run alone.

    Neither is one that a service is going to listen on: the services start last, and
    would find it taken.

    Args:
        http_port: The first of the services' ports.

    Raises:
        ServerStartError: None are free.
    """
    services = range(http_port, http_port + len(SERVICES))
    postgres = free_port(besides=services)
    return postgres, free_port(besides=(*services, postgres))


def require_free_ports(settings: StackSettings) -> None:
    """Refuse ports that another program has, before anything is started.

    Raises:
        FatalError: One line with the port and what to set.
    """
    for number, name in enumerate(SERVICES):
        port = settings.http_port + number
        family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As servers do: connections of one that has ended do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.http_host, port))
            except OSError as error:
                raise FatalError(
                    f"port {port} on {settings.http_host}, which {name} needs, cannot "
                    f"be had ({(error.strerror or str(error)).lower()}): set "
                    "UPTAKE_HTTP_PORT to the first of four free ports"
                ) from error


@asynccontextmanager
async def held_folder(title: str, folder: Path) -> AsyncIterator[None]:
    """Hold the folder of a stack for this process alone, without old logs.

    Raises:
        ServerStartError: Another process holds it, or it cannot be written.
        FatalError: What an earlier run left cannot be removed.
    """
    held = ServerFolder(folder)
    await held.take(title)
    try:
        try:
            (folder / "logs").mkdir(exist_ok=True)
            for old in (*(folder / "logs").glob("*.log"), folder / RUN_FILE):
                old.unlink(missing_ok=True)
        except OSError as error:
            raise FatalError(
                f"{title} cannot write below {folder}: {error}; remove that folder, "
                "or run as the user who owns it"
            ) from error
        yield
    finally:
        held.release()


@asynccontextmanager
async def running_stack(plan: StackPlan, say: Say) -> AsyncIterator[Stack]:
    """Run a stack while the body runs; whatever ends it, nothing is left running.

    Raises:
        FatalError: It did not start, or broke while the body ran.
        ServerStartError: An embedded server did not start.
    """
    stack = Stack(plan, say)
    try:
        await stack.start_servers()
        await stack.migrate()
        async with asyncio.TaskGroup() as tasks:
            stack.start_services()
            watching = tasks.create_task(stack.watch())
            await stack.wait_ready()
            yield stack
            watching.cancel()
    finally:
        await stack.stop()
