"""The whole house on servers of its own, with a proxy before each server."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.ports import free_port
from services.cli.embedded.postgres import EmbeddedPostgres
from services.cli.embedded.server import LoopbackServer
from tests.faults.chaos.disk import SmallDisk
from tests.support.apache_kafka import ApacheKafka
from tests.support.catalogues import EVERYWHERE, copy_catalogue, write_agency
from tests.support.skewed_clock import VARIABLE, set_skew
from tests.support.stack import Stack
from tests.support.tcp_proxy import TcpProxy

ROOT: Final = Path(__file__).parents[3]
SERVICES: Final = ("ingest", "aggregation-1", "aggregation-2", "alerting")
READY_SECONDS_MAX: Final = 90.0
SETTINGS: Final = {
    # Outages are to be noticed within the faults' few seconds.
    "UPTAKE_ACK_TIMEOUT_SECONDS": "1.5",
    "UPTAKE_POSTGRES_STATEMENT_TIMEOUT_SECONDS": "10",
    "UPTAKE_METRICS_INTERVAL_SECONDS": "2",
    "UPTAKE_CARRY_INTERVAL_SECONDS": "2",
    "UPTAKE_ALERT_EVALUATION_SECONDS": "2",
}
POSTGRES_SETTINGS: Final = {
    # The disk may be small, and a full one is to be felt soon.
    "max_wal_size": "96MB",
    "min_wal_size": "32MB",
    "shared_buffers": "64MB",
}


@dataclass(slots=True)
class House:
    """What a run disturbs.

    Attributes:
        servers: Kafka and Postgres, by name.
        proxies: Through which the services reach them, by the same names.
        disk: Of Postgres; None where it cannot be filled.
        away: Services that a fault keeps down; others must run.
    """

    stack: Stack
    servers: dict[str, LoopbackServer]
    proxies: dict[str, TcpProxy]
    disk: SmallDisk | None
    away: set[str] = field(default_factory=set)

    def clock_path(self, service: str) -> Path:
        """Return the file with which a service's clock is set."""
        return self.stack.folder / f"{service}.clock"

    def spawn(self, service: str) -> None:
        """Start a service, its clock at the file's offset."""
        self.stack.spawn(service, **{VARIABLE: str(self.clock_path(service))})
        self.away.discard(service)

    def set_clock(self, service: str, seconds: float) -> None:
        """Let a service's clock jump."""
        set_skew(self.clock_path(service), seconds)

    async def kill(self, service: str) -> None:
        """End a service as a crash would, and expect it gone."""
        self.away.add(service)
        await self.stack.kill(service)

    def fallen(self) -> str | None:
        """Say which service ended by itself; None while all run that should."""
        for service, child in self.stack.children.items():
            if service in self.away or child.is_running():
                continue
            return (
                f"{service} ended by itself with status {child.exit_status()}: "
                f"{self.stack.log_tail(service)}"
            )
        return None

    async def calm(self) -> None:
        """Take everything back that a fault may have left, and see all ready."""
        for proxy in self.proxies.values():
            await proxy.restore()
        for service in SERVICES:
            self.set_clock(service, 0)
            await self.stack.wait_ready(service, seconds=READY_SECONDS_MAX)


@asynccontextmanager
async def open_house(
    folder: Path, *, is_embedded: bool, disk_mebibytes: int | None
) -> AsyncIterator[House]:
    """Start servers and services; all of it ends with the context.

    Args:
        folder: For data and logs; made.
        is_embedded: Whether the broker is the embedded one, whose log is in memory.
        disk_mebibytes: Size of the disk of Postgres; None for the machine's own.
    """
    folder.mkdir(parents=True)  # noqa: ASYNC240 -- nothing else runs yet
    disk = None
    if disk_mebibytes is not None:
        disk = SmallDisk(folder / "disk", size_mebibytes=disk_mebibytes)
    async with AsyncExitStack() as opened:
        opened.enter_context(disk or nullcontext())
        postgres = EmbeddedPostgres(
            (disk.folder if disk else folder) / "postgres",
            durable=True,
            settings=POSTGRES_SETTINGS,
        )
        if disk is not None:
            # The disk is gone with the run; its log is wanted when something failed.
            opened.callback(_keep_log, postgres, folder / "postgres.log")
        opened.push_async_exit(postgres)
        await postgres.start()
        kafka_port = free_port()
        kind = EmbeddedBroker if is_embedded else ApacheKafka
        broker = kind(folder / "broker", advertised_port=kafka_port)
        await opened.enter_async_context(broker)
        proxies = {
            "kafka": TcpProxy(broker.port, port=kafka_port),
            "postgres": TcpProxy(postgres.port),
        }
        for proxy in proxies.values():
            await opened.enter_async_context(proxy)
        stack = _describe_stack(folder, broker, postgres, proxies["postgres"])
        await stack.migrate()
        opened.push_async_callback(stack.stop)
        house = House(stack, {"kafka": broker, "postgres": postgres}, proxies, disk)
        for service in SERVICES:
            house.spawn(service)
        for service in SERVICES:
            await stack.wait_ready(service, seconds=READY_SECONDS_MAX)
        yield house


def _describe_stack(
    folder: Path,
    broker: EmbeddedBroker | ApacheKafka,
    postgres: EmbeddedPostgres,
    postgres_proxy: TcpProxy,
) -> Stack:
    """Describe services that reach their servers through the proxies."""
    catalogue = copy_catalogue(folder / "catalogue")
    for agency in EVERYWHERE:
        write_agency(catalogue, agency, "VN")
    code = folder / "code"
    for name in ("services", "shared", "tests"):
        # A service that comes back after a change of the tree would be another one.
        left_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, code / name, ignore=left_out)
    through = postgres.dsn.replace(f":{postgres.port}/", f":{postgres_proxy.port}/")
    return Stack(
        broker=broker,
        bootstrap_servers=broker.bootstrap_servers,
        dsn=postgres.dsn,
        catalogue=catalogue,
        folder=folder,
        is_embedded=isinstance(broker, EmbeddedBroker),
        overrides={"UPTAKE_POSTGRES_DSN": through, **SETTINGS},
        program=("-m", "tests.support.skewed_clock"),
        code=code,
    )


def _keep_log(server: LoopbackServer, path: Path) -> None:
    """Copy a server's log to where it stays."""
    if server.log_path.exists():
        shutil.copyfile(server.log_path, path)
