"""Servers for tests: Postgres for the session, a database and a broker for each test.

`UPTAKE_TEST_BROKER=kafka` runs the same tests on Apache Kafka.
"""

import os
import signal
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.postgres import EmbeddedPostgres
from services.cli.embedded.server import LoopbackServer
from tests.support.apache_kafka import ApacheKafka, fetch_jars
from tests.support.catalogues import copy_catalogue
from tests.support.stack import Stack

# What a shell's `&` made us ignore, the programs that tests start must not inherit:
# some are interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

IS_APACHE_KAFKA = os.environ.get("UPTAKE_TEST_BROKER") == "kafka"
WORKERS_MAX = 8


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Choose how many processes run tests where nobody says: two for each core.

    A test of services waits for half of its time. Each process has a PostgreSQL of its
    own, so a large machine does not get two for every core.
    """
    return min(2 * (os.cpu_count() or 1), WORKERS_MAX)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Fetch Apache Kafka before any test's time runs, once and not in each process."""
    if IS_APACHE_KAFKA and not hasattr(session.config, "workerinput"):
        try:
            fetch_jars()
        except ServerStartError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.TESTS_FAILED)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[EmbeddedPostgres]:
    """Run one PostgreSQL for the whole session, or for each process of it."""
    folder = tmp_path_factory.mktemp("postgres") / "server"
    async with EmbeddedPostgres(folder, durable=False) as server:
        yield server


@pytest.fixture
async def database(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """Make an empty database; return its DSN."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f'CREATE DATABASE "{name}"')
    yield postgres.dsn.rpartition("/")[0] + f"/{name}"
    await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await connection.close()


def new_broker(
    folder: Path, *, advertised_port: int | None = None
) -> EmbeddedBroker | ApacheKafka:
    """Describe a broker of the kind that this run tests with."""
    if IS_APACHE_KAFKA:
        return ApacheKafka(folder, advertised_port=advertised_port, is_brief=True)
    return EmbeddedBroker(folder, advertised_port=advertised_port)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[LoopbackServer]:
    """Run a broker for one test."""
    async with new_broker(tmp_path / "broker") as server:
        yield server


@pytest.fixture
async def stack(
    broker: EmbeddedBroker | ApacheKafka, database: str, tmp_path: Path
) -> AsyncIterator[Stack]:
    """Prepare servers, tables, topics and catalogue; no service runs yet."""
    made = Stack(
        broker=broker,
        bootstrap_servers=broker.bootstrap_servers,
        dsn=database,
        catalogue=copy_catalogue(tmp_path / "catalogue"),
        folder=tmp_path,
        is_embedded=not IS_APACHE_KAFKA,
    )
    await made.migrate()
    yield made
    await made.stop()
