"""Keeps the services of one machine running: starts, watches, restarts, stops them.

A service that dies comes back, since all it may not lose lies in Kafka and Postgres.
They run in sessions of their own, so that Ctrl-C reaches only us and we can stop them
in order; the kernel ends them should we be killed.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from services.cli.embedded.child import ChildProcess, log_tail
from services.cli.restarts import RestartPolicy
from shared.errors import FatalError

POLL_SECONDS: Final = 0.05
READY_SECONDS_MAX: Final = 60.0
STOP_STEPS: Final = ((signal.SIGTERM, 15.0),)
PROBE_TIMEOUT: Final = aiohttp.ClientTimeout(total=2)
LOG_LINES_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """How one service runs.

    Attributes:
        name: Its name, e.g. `ingest`.
        command: The program and its arguments.
        host: Address it listens on.
        port: Port it listens on.
        log_path: Where its output goes; the folder exists.
        environment: Its whole environment.
    """

    name: str
    command: tuple[str, ...]
    host: str
    port: int
    log_path: Path
    environment: Mapping[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        """Its address for people and programs on this machine."""
        return local_url(self.host, self.port)


def local_url(host: str, port: int) -> str:
    """Return where a service that listens at a host is found on this machine."""
    shown = "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104 -- compared, not bound
    return f"http://{shown}:{port}"


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old text or the new, never a part."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    new.replace(path)


class Supervisor:
    """The services, in the order in which they start."""

    def __init__(
        self,
        specs: Sequence[ServiceSpec],
        *,
        run_path: Path,
        servers: Mapping[str, Mapping[str, int]],
        say: Callable[[str], None],
    ) -> None:
        """Describe the services; nothing is started.

        Args:
            specs: In the order of starting; stopped in reverse.
            run_path: File that tells tests and tools which process is which.
            servers: What else stands in that file: process id and port by name.
            say: Told one line when a service is restarted.
        """
        self._specs = tuple(specs)
        self._run_path = run_path
        self._servers = servers
        self._say = say
        self._children: dict[str, ChildProcess] = {}
        self._policies = {spec.name: RestartPolicy() for spec in specs}

    def start(self) -> None:
        """Start every service, without waiting for it.

        Raises:
            FatalError: The system refuses a process.
        """
        for spec in self._specs:
            self._spawn(spec)
        self._write_run_file()

    def _spawn(self, spec: ServiceSpec) -> None:
        child = ChildProcess(
            spec.command,
            log_path=spec.log_path,
            # What it has not committed is done again at the next start, so nothing
            # is gained by letting it live on without us.
            death_signal="KILL",
            env=spec.environment,
        )
        try:
            child.spawn()
        except OSError as error:
            raise FatalError(f"{spec.name} cannot be started: {error}") from error
        self._children[spec.name] = child

    def _write_run_file(self) -> None:
        running = {
            spec.name: {"pid": self._children[spec.name].pid, "port": spec.port}
            for spec in self._specs
        }
        write_atomically(
            self._run_path, json.dumps({**self._servers, **running}, indent=2) + "\n"
        )

    async def wait_ready(self, spec: ServiceSpec) -> float:
        """Wait until a service says it is ready; return after how many seconds.

        Raises:
            FatalError: It does not in time; the line says what it waits for.
        """
        started_at = time.monotonic()
        reason = "it does not answer"
        async with aiohttp.ClientSession(timeout=PROBE_TIMEOUT) as session:
            while time.monotonic() - started_at < READY_SECONDS_MAX:
                waiting = await _probe(session, f"{spec.url}/health/ready")
                if waiting is None:
                    return time.monotonic() - started_at
                reason = waiting or reason
                await asyncio.sleep(POLL_SECONDS)
        raise FatalError(
            f"{spec.name} is not ready after {READY_SECONDS_MAX:g} s: {reason} "
            f"(log: {spec.log_path})"
        )

    async def watch(self) -> None:
        """Restart what ends; returns only by cancellation.

        Raises:
            FatalError: A service ended too often, or for want of good settings.
        """
        async with asyncio.TaskGroup() as tasks:
            for spec in self._specs:
                tasks.create_task(self._keep(spec))

    async def _keep(self, spec: ServiceSpec) -> None:
        while True:
            status = self._children[spec.name].exit_status()
            if status is None:
                await asyncio.sleep(POLL_SECONDS)
                continue
            delay_seconds = self._policies[spec.name].admit(status, time.monotonic())
            if delay_seconds is None:
                raise FatalError(_last_words(spec, status))
            self._say(f"{spec.name} {describe_exit(status)}: started again")
            await asyncio.sleep(delay_seconds)
            self._spawn(spec)
            self._write_run_file()

    async def stop(self) -> None:
        """Stop every service, the last first, each within its bound."""
        for spec in reversed(self._specs):
            child = self._children.pop(spec.name, None)
            if child is not None:
                await child.stop(STOP_STEPS)
        self._run_path.unlink(missing_ok=True)


async def _probe(session: aiohttp.ClientSession, url: str) -> str | None:
    """Ask for readiness; None if ready, else the reason, empty while it is mute."""
    try:
        async with session.get(url) as response:
            if response.status == 200:  # noqa: PLR2004 -- HTTP's "OK"
                return None
            waiting = (await response.json()).get("waiting_for", {})
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return ""
    return "; ".join(f"{part}: {reason}" for part, reason in waiting.items())


def describe_exit(status: int) -> str:
    """Say how a process ended, in words that fit behind its name."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _last_words(spec: ServiceSpec, status: int) -> str:
    tail = log_tail(spec.log_path, lines_max=LOG_LINES_SHOWN)
    return (
        f"{spec.name} {describe_exit(status)} and is given up; its log "
        f"{spec.log_path} ends: {tail or '(empty)'}"
    )
