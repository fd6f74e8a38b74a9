"""The embedded servers start from nothing, and never outlive who started them."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.child import ChildProcess, poll_until
from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.ports import LOOPBACK, free_port
from services.cli.embedded.postgres import EmbeddedPostgres, find_postgres
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.embedded
PROJECT = Path(__file__).parents[2]
GONE_SECONDS_MAX = 20.0
PARENT = """
import asyncio, sys
from pathlib import Path
from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.postgres import EmbeddedPostgres

async def main(folder):
    postgres = EmbeddedPostgres(folder / "postgres", durable=False)
    async with postgres, EmbeddedBroker(folder / "broker") as broker:
        print(postgres.pid, broker.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main(Path(sys.argv[1])))
"""


def _is_there(pid: int) -> bool:
    """Say whether a process lives; one that only waits to be reaped does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _user_of(pid: int) -> int:
    """Return the user a process runs as."""
    return Path(f"/proc/{pid}").stat().st_uid


def _family(pid: int) -> set[int]:
    """Return a process and its children's children."""
    found = {pid}
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            found |= _family(int(child))
    return found


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Give a process that runs both servers and prints their ids."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path])},
    )
    with process:
        yield process
        process.kill()


async def test_postgres_starts_answers_and_stops(tmp_path: Path) -> None:
    """A fresh server has an empty database `uptake` in UTF-8."""
    async with EmbeddedPostgres(tmp_path / "postgres", durable=False) as postgres:
        connection = await asyncpg.connect(postgres.dsn, ssl=False)
        try:
            name = await connection.fetchval("SELECT current_database()")
            encoding = await connection.fetchval("SHOW server_encoding")
            sockets = await connection.fetchval("SHOW unix_socket_directories")
            day = await connection.fetchval(
                "SELECT ('2026-01-01 17:00Z'::timestamptz"
                " AT TIME ZONE 'Asia/Ho_Chi_Minh')::date::text"
            )
        finally:
            await connection.close()
        assert (name, encoding, sockets, day) == ("uptake", "UTF8", "", "2026-01-02")
        assert postgres.version.startswith("PostgreSQL 18")
        pids = _family(postgres.pid)
        assert len(pids) > 1
    assert not any(_is_there(pid) for pid in pids)


async def test_postgres_refuses_a_wrong_password(tmp_path: Path) -> None:
    """Other users of the machine reach the port, but not the data."""
    async with EmbeddedPostgres(tmp_path / "postgres", durable=False) as postgres:
        wrong = postgres.dsn_of("uptake", password="guessed")  # noqa: S106 - a guess
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong, ssl=False)


async def test_postgres_keeps_commits_over_kill_and_restart(tmp_path: Path) -> None:
    """What was committed is there after a crash, on the same port."""
    async with EmbeddedPostgres(tmp_path / "postgres") as postgres:
        dsn = postgres.dsn
        connection = await asyncpg.connect(dsn, ssl=False)
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
        await postgres.kill()
        connection.terminate()
        await postgres.restart()
        assert postgres.dsn == dsn
        connection = await asyncpg.connect(dsn, ssl=False)
        try:
            assert await connection.fetchval("SELECT value FROM kept") == 7
        finally:
            await connection.close()


async def test_second_start_in_the_same_folder_is_empty(tmp_path: Path) -> None:
    """Data of an earlier run is gone, and nothing else in the folder is touched."""
    for _ in range(2):
        async with EmbeddedPostgres(tmp_path, durable=False) as postgres:
            connection = await asyncpg.connect(postgres.dsn, ssl=False)
            await connection.execute("CREATE TABLE mine (value bigint)")
            await connection.close()
        (tmp_path / "notes.txt").write_text("kept", encoding="utf-8")
    assert (tmp_path / "notes.txt").exists()


async def test_broker_confirms_and_returns_records(tmp_path: Path) -> None:
    """A record comes back with its key and headers."""
    async with EmbeddedBroker(tmp_path / "broker") as broker:
        async with AIOKafkaProducer(
            bootstrap_servers=broker.bootstrap_servers, acks="all"
        ) as producer:
            headers = [("ce_id", b"1")]
            await producer.send_and_wait(
                "events", b"value", key=b"key", partition=0, headers=headers
            )
        consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap_servers)
        async with consumer, asyncio.timeout(10):
            partition = TopicPartition("events", 0)
            consumer.assign([partition])
            consumer.seek(partition, 0)
            record = await consumer.getone()
        assert (record.offset, record.key, record.value) == (0, b"key", b"value")
        assert list(record.headers) == headers
        assert "Tansu" in broker.version
        pid = broker.pid
    assert not _is_there(pid)


async def test_broker_sends_clients_to_its_advertised_port(tmp_path: Path) -> None:
    """A proxy that is advertised sees every connection."""
    port = free_port()
    async with TcpProxy(port) as proxy:
        broker = EmbeddedBroker(tmp_path, port=port, advertised_port=proxy.port)
        async with (
            broker,
            AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer,
        ):
            await producer.send_and_wait("events", b"value")
            assert proxy.connections_total >= 2


async def test_killed_parent_leaves_no_server(
    parent: subprocess.Popen[str], tmp_path: Path
) -> None:
    """SIGKILL cannot be caught, and still takes both servers along."""
    assert parent.stdout is not None
    line = await asyncio.to_thread(parent.stdout.readline)
    pids = set().union(*(_family(int(pid)) for pid in line.split()))
    assert len(pids) > 2
    parent.kill()
    parent.wait()
    assert await poll_until(
        lambda: not any(_is_there(pid) for pid in pids), GONE_SECONDS_MAX
    )
    # Nor does the dead run keep the folder from the next one.
    async with EmbeddedPostgres(tmp_path / "postgres", durable=False):
        pass


async def test_start_waits_for_servers_of_a_killed_parent(
    parent: subprocess.Popen[str], tmp_path: Path
) -> None:
    """At once after a crash, a start takes the folder over when it is free."""
    assert parent.stdout is not None
    assert await asyncio.to_thread(parent.stdout.readline)
    parent.kill()
    parent.wait()
    postgres = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    async with postgres, EmbeddedBroker(tmp_path / "broker"):
        pass


async def test_interrupt_of_the_terminal_does_not_reach_servers(
    tmp_path: Path,
) -> None:
    """A server is in a process group and session of its own."""
    async with EmbeddedBroker(tmp_path) as broker:
        assert os.getpgid(broker.pid) == broker.pid
        assert os.getsid(broker.pid) == broker.pid


async def test_two_at_once_in_one_folder_are_refused(tmp_path: Path) -> None:
    """The second says who holds the folder, and leaves the first alone."""
    async with EmbeddedBroker(tmp_path) as first:
        with pytest.raises(ServerStartError, match=f"process {os.getpid()} already"):
            await EmbeddedBroker(tmp_path).start()
        assert await first.probe() is None


async def test_port_in_use_is_named(tmp_path: Path) -> None:
    """One line names the port; no server process is left."""
    with socket.create_server((LOOPBACK, free_port())) as taken:
        port = taken.getsockname()[1]
        broker = EmbeddedBroker(tmp_path, port=port)
        with pytest.raises(ServerStartError, match=f"port {port} on .* is in use") as e:
            await broker.start()
    assert "\n" not in str(e.value)
    # The failed start let go of the folder.
    await broker.start()
    await broker.stop()


async def test_failed_start_quotes_the_log_in_one_line(tmp_path: Path) -> None:
    """A setting that PostgreSQL refuses is told with its own words."""
    postgres = EmbeddedPostgres(tmp_path, settings={"shared_buffers": "soon"})
    with pytest.raises(ServerStartError, match="shared_buffers") as e:
        await postgres.start()
    assert "\n" not in str(e.value)
    assert not postgres.is_running


@pytest.mark.parametrize("mode", [0o755, 0o700])
async def test_postgres_runs_below_a_closed_folder(tmp_path: Path, mode: int) -> None:
    """PostgreSQL runs, programs and data, where only the project's owner may enter.

    Such is a project in a home with its environment; with a strict umask the programs
    themselves are their owner's alone. For root, PostgreSQL runs as `nobody`, who may
    not enter by himself; for an ordinary user it is the user's own process.
    """
    is_root = os.geteuid() == 0
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = find_postgres().parents[1]
    # The wheel keeps its libraries in a folder beside the package.
    for folder in package.parent.glob(f"{package.name}*"):
        shutil.copytree(folder, closed / folder.name, symlinks=True)
    bin_dir = closed / find_postgres().relative_to(package.parent)
    for program in bin_dir.iterdir():
        program.chmod(mode)
    async with EmbeddedPostgres(
        closed / "postgres", durable=False, bin_dir=bin_dir
    ) as postgres:
        runs_as = pwd.getpwnam("nobody").pw_uid if is_root else os.geteuid()
        assert _user_of(postgres.pid) == runs_as
        connection = await asyncpg.connect(postgres.dsn, ssl=False)
        await connection.execute("CREATE TABLE mine (value bigint)")
        await connection.close()
    assert closed.stat().st_mode & 0o777 == 0o700


async def test_child_of_a_child_is_waited_for(tmp_path: Path) -> None:
    """A stop returns when workers of the server are gone, too."""
    script = (
        "import subprocess, sys, time;"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(0.7)'],"
        " close_fds=False);"
        "time.sleep(60)"
    )
    child = ChildProcess([sys.executable, "-c", script], log_path=tmp_path / "log")
    child.spawn()
    assert await poll_until(lambda: len(_family(child.pid)) > 1, 10)
    family = _family(child.pid)
    await child.stop([(signal.SIGTERM, 10)])
    assert not any(_is_there(pid) for pid in family)


async def test_command_that_is_not_there_fails_with_its_name(tmp_path: Path) -> None:
    """The launcher says what it could not start."""
    log_path = tmp_path / "log"
    child = ChildProcess(["./absent"], log_path=log_path)
    child.spawn()
    assert await child.wait(10) == 126
    assert "./absent did not start" in log_path.read_text(encoding="utf-8")
