"""Debian's Prometheus and Alertmanager, as programs and as servers on loopback."""

import asyncio
import contextlib
import re
import shutil
import signal
import subprocess
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path

from typing_extensions import override

from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.ports import LOOPBACK
from services.cli.embedded.server import LoopbackServer

PROJECT = Path(__file__).parents[2]
TOOLS = PROJECT / ".uptake" / "tools" / "usr" / "bin"
PROBE_SECONDS_MAX = 3.0
VERSION_SECONDS_MAX = 20.0


def find_tool(name: str, tools: Path = TOOLS) -> Path:
    """Return a program of Debian's packages.

    Args:
        name: `prometheus`, `promtool`, `prometheus-alertmanager` or `amtool`.
        tools: Where `make tools` unpacks them.

    Raises:
        ServerStartError: It is neither on PATH nor unpacked.
    """
    found = shutil.which(name) or shutil.which(name, path=str(tools))
    if found is None:
        raise ServerStartError(
            f"{name} is neither on PATH nor in .uptake/tools: run `make tools`, "
            "or install Debian's prometheus and prometheus-alertmanager"
        )
    return Path(found)


async def http_status(port: int, path: str) -> int:
    """Return the status that a server on loopback answers a GET with.

    Raises:
        OSError: It cannot be reached or says no HTTP.
    """
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        request = f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n"
        writer.write(request.encode("ascii"))
        await writer.drain()
        line = await reader.readline()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    found = re.match(rb"HTTP/\S+ (\d{3}) ", line)
    if found is None:
        raise OSError(f"no HTTP status in {line!r}")
    return int(found.group(1))


class _DebianServer(LoopbackServer):
    """What Prometheus and Alertmanager have in common."""

    program: str
    config_name: str
    stop_steps: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 10.0),)
    ready_seconds_max = 30.0

    def __init__(self, folder: Path, config: str, *, port: int | None = None) -> None:
        """Describe the server; nothing is started.

        Args:
            folder: Its own folder.
            config: The text of its configuration file.
            port: A loopback port; a free one when None.
        """
        super().__init__(folder, port=port)
        self._config = config

    @property
    def url(self) -> str:
        """The address of its web interface and API."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def config_path(self) -> Path:
        """The configuration file; write it and call `reload` to change it."""
        return self.folder / self.config_name

    @property
    @override
    def version(self) -> str:
        """The program and its version, for people to read."""
        done = subprocess.run(
            [find_tool(self.program), "--version"],
            capture_output=True,
            check=True,
            text=True,
            timeout=VERSION_SECONDS_MAX,
        )
        found = re.search(r"version (\S+)", done.stdout + done.stderr)
        return f"{self.title} {found.group(1) if found else '(unknown)'}"

    def reload(self) -> None:
        """Let it read its configuration again."""
        if self._child is not None:
            self._child.send(signal.SIGHUP)

    @override
    async def prepare(self) -> None:
        """Write the configuration."""
        await super().prepare()
        self.config_path.write_text(self._config, encoding="utf-8")

    @override
    async def probe(self) -> str | None:
        """Ask whether it is ready."""
        try:
            async with asyncio.timeout(PROBE_SECONDS_MAX):
                status = await http_status(self.port, "/-/ready")
        except (OSError, TimeoutError) as error:
            return str(error) or type(error).__name__
        return None if status == 200 else f"/-/ready answered {status}"

    @override
    @abstractmethod
    def command(self) -> list[str | Path]:
        """Return the program and its arguments."""


class Alertmanager(_DebianServer):
    """Debian's Alertmanager, alone: clustering is off."""

    title = "Alertmanager"
    program = "prometheus-alertmanager"
    config_name = "alertmanager.yml"

    @override
    def command(self) -> list[str | Path]:
        """Return Alertmanager's command line."""
        return [
            find_tool(self.program),
            f"--config.file={self.config_path}",
            f"--storage.path={self.data_path}",
            f"--web.listen-address={LOOPBACK}:{self.port}",
            "--cluster.listen-address=",
        ]


class Prometheus(_DebianServer):
    """Debian's Prometheus."""

    title = "Prometheus"
    program = "prometheus"
    config_name = "prometheus.yml"

    @override
    def command(self) -> list[str | Path]:
        """Return Prometheus's command line."""
        return [
            find_tool(self.program),
            f"--config.file={self.config_path}",
            f"--storage.tsdb.path={self.data_path}",
            f"--web.listen-address={LOOPBACK}:{self.port}",
        ]
