"""TLS to a PostgreSQL with `ssl = on`: the server must prove the name it goes by."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.postgres import EmbeddedPostgres
from shared.errors import FatalError
from shared.postgres.pool import open_pool
from shared.settings import PostgresSettings
from tests.support.certificates import Authority
from tests.support.debian_postgres import TlsPostgres
from tests.support.stack import Stack
from tests.support.uptake_command import run_uptake

pytestmark = [pytest.mark.debian, pytest.mark.embedded, pytest.mark.timeout(180)]
WRONG = "hunter2-is-wrong"


@dataclass(frozen=True, slots=True)
class World:
    """A PostgreSQL with TLS, and addresses that lead to it."""

    server: EmbeddedPostgres
    authority: Authority
    other: Authority

    @property
    def password(self) -> str:
        """The password in every address that is right."""
        return urlsplit(self.server.dsn).password or ""

    def dsn(
        self,
        *,
        host: str = "localhost",
        authority: Path | None = None,
        mode: str = "verify-full",
        password: str | None = None,
    ) -> str:
        """Return an address: right, unless something is said to be otherwise."""
        dsn = self.server.dsn_of("uptake", password=password)
        dsn = dsn.replace("127.0.0.1", host)
        return f"{dsn}?sslmode={mode}&sslrootcert={authority or self.authority.path}"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Run it; its certificate is for localhost and not for 127.0.0.1."""
    authority = Authority(tmp_path / "authority")
    server = TlsPostgres(tmp_path / "postgres", authority.issue("localhost"))
    async with server:
        yield World(server, authority, Authority(tmp_path / "other"))


def settings_of(dsn: str) -> PostgresSettings:
    """Return settings with an address."""
    return PostgresSettings.model_validate({"postgres_dsn": dsn})


async def refusal(dsn: str) -> str:
    """Open a pool that must not open; return what is said."""
    with pytest.raises(FatalError) as caught:
        await open_pool(settings_of(dsn), role=None, size_max=1)
    return str(caught.value)


async def test_connection_is_encrypted_and_the_server_verified(world: World) -> None:
    """The pool of every service, and the tool that migrates."""
    pool = await open_pool(settings_of(world.dsn()), role=None, size_max=1)
    async with pool.acquire() as connection:
        assert await connection.fetchval(
            "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )
    await pool.close()


async def test_server_that_proves_nothing_is_refused_in_one_line(world: World) -> None:
    """Not waited for: to the driver, it all looks like an outage."""
    said = await refusal(world.dsn(authority=world.other.path))
    assert "certificate that is not accepted" in said
    said = await refusal(world.dsn(host="127.0.0.1"))
    assert "certificate that is not accepted: IP address mismatch" in said
    said = await refusal(world.dsn(password=WRONG))
    assert "password authentication failed" in said
    assert WRONG not in said
    junk = world.authority.path.with_name("junk.pem")
    junk.write_text("no certificate")
    assert "holds no certificate" in await refusal(world.dsn(authority=junk))


async def test_commands_and_services_say_it_and_end(
    world: World, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """Exit status 1 and one line, without the password; the right one works."""
    stack = Stack(
        broker=broker,
        bootstrap_servers=broker.bootstrap_servers,
        dsn=world.dsn(),
        catalogue=tmp_path,
        folder=tmp_path,
        is_embedded=True,
    )
    secret = tmp_path / "dsn"
    secret.write_text(world.dsn() + "\n")
    migrated = await run_uptake(
        stack,
        "migrate",
        without=("UPTAKE_POSTGRES_DSN", "UPTAKE_CATALOGUE"),
        UPTAKE_POSTGRES_DSN_FILE=str(secret),
    )
    assert migrated.status == 0, migrated
    for dsn in (
        world.dsn(authority=world.other.path),
        world.dsn(host="127.0.0.1"),
        world.dsn(password=WRONG),
    ):
        for words in (("totals",), ("migrate",)):
            ran = await run_uptake(
                stack, *words, without=("UPTAKE_CATALOGUE",), UPTAKE_POSTGRES_DSN=dsn
            )
            assert ran.status == 1, ran
            assert len(ran.errors.splitlines()) == 1, ran
            assert WRONG not in ran.errors
            assert world.password not in ran.errors


async def test_server_without_tls_is_refused_where_tls_is_demanded(
    postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Going on without it would be worse than not going on."""
    authority = Authority(tmp_path / "authority")
    dsn = f"{postgres.dsn}?sslmode=verify-full&sslrootcert={authority.path}"
    assert "speaks no TLS" in await refusal(dsn)
