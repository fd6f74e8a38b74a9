"""The life of a server on loopback, the same for all of them."""

import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from services.cli.embedded.child import (
    POLL_SECONDS,
    ChildProcess,
    log_tail,
    poll_until,
)
from services.cli.embedded.errors import ServerStartError
from services.cli.embedded.folder import ServerFolder
from services.cli.embedded.ports import free_port, require_free


class LoopbackServer(ABC):
    """A server that is our child, listens on 127.0.0.1 and keeps one folder.

    `start` empties the folder; `restart` keeps it and the port. Whoever started the
    server and ends, by whatever cause, takes it with it (on Linux).
    """

    title: str
    death_signal = "TERM"
    as_nobody = False
    stop_steps: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 15.0),)
    ready_seconds_max = 60.0

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        """Describe the server; nothing is started.

        Args:
            folder: Its own folder; data and log of an earlier run in it are removed
                at start.
            port: A loopback port; a free one is chosen at start when None.
        """
        self._folder = ServerFolder(folder)
        self._port = port
        self._child: ChildProcess | None = None

    @property
    def folder(self) -> Path:
        """The server's own folder."""
        return self._folder.path

    @property
    def data_path(self) -> Path:
        """Where the server keeps its data."""
        return self._folder.data_path

    @property
    def log_path(self) -> Path:
        """The file with the server's output."""
        return self._folder.log_path

    @property
    def port(self) -> int:
        """The port it listens on; chosen at the first asking when none was given."""
        if self._port is None:
            self._port = free_port()
        return self._port

    @property
    def pid(self) -> int:
        """The server's process id.

        Raises:
            ProcessLookupError: It was not started.
        """
        if self._child is None:
            raise ProcessLookupError(f"{self.title} was not started")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return self._child is not None and self._child.is_running()

    @property
    @abstractmethod
    def version(self) -> str:
        """The program and its version, for people to read."""

    @abstractmethod
    def command(self) -> list[str | Path]:
        """Return the program and its arguments; it stays in the foreground."""

    async def prepare(self) -> None:
        """Make the data folder ready; once, before the first run.

        Raises:
            ServerStartError: It cannot be.
        """
        self._folder.make_data(self.title, as_nobody=self.as_nobody)

    @abstractmethod
    async def probe(self) -> str | None:
        """Ask the server one real question; return None if ready, else the reason."""

    def environment(self) -> dict[str, str] | None:
        """Return the server's whole environment; None for ours."""
        return None

    async def start(self) -> None:
        """Start from nothing and wait until the server answers.

        Raises:
            ServerStartError: It did not; nothing of it is left running.
        """
        if self.is_running:
            raise ServerStartError(f"{self.title} is already running in {self.folder}")
        await self._folder.take(self.title)
        try:
            self._folder.clear(self.title)
            require_free(self.port, self.title)
            await self.prepare()
            await self._run()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop in good order, within bounds; harmless when it does not run."""
        self.resume()
        if self._child is not None:
            await self._child.stop(self.stop_steps)
        self._folder.release()

    async def kill(self) -> None:
        """End the server as a crash would; `restart` brings it back."""
        if self._child is not None:
            await self._child.kill()

    def pause(self) -> None:
        """Freeze the server: connections stay open, nothing is answered.

        Of PostgreSQL only the process that accepts connections is frozen.
        """
        if self._child is not None:
            self._child.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen server go on."""
        if self._child is not None:
            self._child.send(signal.SIGCONT)

    async def restart(self) -> None:
        """Run again on the same port and data, after a stop or a kill or from running.

        Raises:
            ServerStartError: It did not come back.
        """
        await self.stop()
        await self._folder.take(self.title)
        try:
            require_free(self.port, self.title)
            await self._run()
        except BaseException:
            await self.stop()
            raise

    async def _run(self) -> None:
        """Start the process and wait until it is ready."""
        self._child = self.make_child(self.command())
        self._spawn(self._child)
        deadline = time.monotonic() + self.ready_seconds_max
        reason: str | None = "it did not answer"
        while time.monotonic() < deadline:
            if self._child.exit_status() is not None:
                status = self._child.exit_status()
                raise self.failure(f"it ended with status {status}")
            reason = await self.probe()
            if reason is None:
                return
            await poll_until(lambda: not self.is_running, POLL_SECONDS * 2)
        raise self.failure(f"not ready in {self.ready_seconds_max:g} s: {reason}")

    def make_child(self, command: Sequence[str | Path]) -> ChildProcess:
        """Describe a process with this server's user, log, lock and environment."""
        return ChildProcess(
            command,
            log_path=self.log_path,
            death_signal=self.death_signal,
            as_nobody=self.as_nobody,
            env=self.environment(),
            kept_fds=(self._folder.lock_fd,),
        )

    def _spawn(self, child: ChildProcess) -> None:
        """Start a process of this server.

        Raises:
            ServerStartError: The system refused.
        """
        try:
            child.spawn()
        except OSError as error:
            raise self.failure(os.strerror(error.errno or 0).lower()) from error

    async def run_once(self, command: Sequence[str | Path], seconds: float) -> None:
        """Run a preparing command of this server to its end.

        Raises:
            ServerStartError: It failed, or took longer than `seconds`.
        """
        child = self.make_child(command)
        self._spawn(child)
        name = Path(child.command[0]).name
        try:
            status = await child.wait(seconds)
        finally:
            await child.kill()
        if status is None:
            raise self.failure(f"{name} took more than {seconds:g} s")
        if status != 0:
            raise self.failure(f"{name} ended with status {status}")

    def failure(self, what: str) -> ServerStartError:
        """Say in one line what went wrong, where, and what the log says of it."""
        tail = log_tail(self.log_path)
        said = f"; its log ends: {tail}" if tail else ""
        return ServerStartError(
            f"{self.title} did not start: {what} (log: {self.log_path}){said}"
        )

    async def __aenter__(self) -> Self:
        """Start it."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop it."""
        await self.stop()
