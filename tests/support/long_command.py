"""Runs `uptake up` and `uptake demo` as a user would, and sees what they leave."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.cli.embedded.child import ChildProcess, poll_until
from services.cli.embedded.ports import PORT_FIRST, PORT_LAST, is_free, reserve

ROOT = Path(__file__).parents[2]
STAT_STATE, STAT_PARENT, STAT_STARTED = 0, 1, 19


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """A process, told apart from a later one with the same id."""

    pid: int
    started: int

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; one that waits to be reaped does not."""
        fields = _stat(self.pid)
        return (
            fields is not None
            and int(fields[STAT_STARTED]) == self.started
            and fields[STAT_STATE] != "Z"
        )


def _stat(pid: int) -> list[str] | None:
    """Read what the kernel says of a process, from its state on."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return None
    return text.rpartition(") ")[2].split()


def family(pid: int) -> set[ProcessMark]:
    """Return a process and all its descendants."""
    parents: dict[int, list[int]] = {}
    started: dict[int, int] = {}
    names = (path.name for path in Path("/proc").iterdir())
    for each in (int(name) for name in names if name.isdecimal()):
        fields = _stat(each)
        if fields is not None:
            parents.setdefault(int(fields[STAT_PARENT]), []).append(each)
            started[each] = int(fields[STAT_STARTED])
    found, waiting = set(), [pid]
    while waiting:
        each = waiting.pop()
        if each in started:
            found.add(ProcessMark(each, started[each]))
        waiting += parents.get(each, [])
    return found


def four_free_ports() -> int:
    """Return the first of four neighbouring loopback ports that nothing uses."""
    for first in range(PORT_FIRST + os.getpid() * 4 % 8_000, PORT_LAST - 4, 4):
        four = range(first, first + 4)
        if all(reserve(port) and is_free(port) for port in four):
            return first
    message = "no four free ports"
    raise AssertionError(message)


class LongCommand:
    """An `uptake` command that runs until it is told to stop."""

    def __init__(
        self,
        folder: Path,
        *words: str,
        data: Path = Path("data"),
        script: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the command; nothing is started.

        Args:
            folder: Where it runs.
            words: The command and its options.
            data: Where its data lie, below the folder.
            script: A shell's script to run instead, `"$@"` being the command.
            environment: Settings beside ours.
        """
        self.data = folder / data
        self.port = four_free_ports()
        self._out = folder / "out.txt"
        command = [sys.executable, "-m", "services.cli", *words, "--data", str(data)]
        self._child = ChildProcess(
            ["sh", "-c", script, "sh", *command] if script else command,
            log_path=self._out,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("UPTAKE_")},
                "PYTHONPATH": str(ROOT),
                "UPTAKE_HTTP_PORT": str(self.port),
                **(environment or {}),
            },
        )

    def __enter__(self) -> Self:
        """Start it."""
        self._child.spawn()
        return self

    def __exit__(self, *_: object) -> None:
        """End it and what it left, whatever the test found."""
        left = family(self._child.pid) if self._child.is_running() else set()
        self._child.send(signal.SIGKILL)
        deadline = time.monotonic() + 20
        while self._child.is_running() or any(each.is_alive for each in left):
            assert time.monotonic() < deadline, "a process outlived its parent"
            time.sleep(0.05)

    @property
    def out(self) -> str:
        """What it has printed so far, errors included."""
        return self._out.read_text(encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """The settings that it leaves for commands beside it."""
        text = (self.data / "environment.json").read_text(encoding="utf-8")
        return {str(name): str(value) for name, value in json.loads(text).items()}

    @property
    def files(self) -> set[str]:
        """Names of what lies in the folder where it runs."""
        return {path.name for path in self._out.parent.iterdir()}

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def processes(self) -> set[ProcessMark]:
        """Return it and all it started, as they are now."""
        return family(self._child.pid)

    def service_pid(self, name: str) -> int | None:
        """Return the process id of a child; None while that is not written down."""
        try:
            text = (self.data / "run.json").read_text(encoding="utf-8")
        except OSError:
            return None
        pid = json.loads(text).get(name, {}).get("pid")
        return None if pid is None else int(pid)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._child.send(number)

    async def until(self, condition: Callable[[], bool], *, seconds: float) -> None:
        """Wait for a condition; fail with the output when it does not come."""
        await poll_until(lambda: condition() or not self._child.is_running(), seconds)
        assert condition(), self.out

    async def until_said(self, text: str, *, seconds: float = 60.0) -> None:
        """Wait until it has printed a text."""
        await self.until(lambda: text in self.out, seconds=seconds)

    async def until_restarted(self, name: str, old_pid: int) -> None:
        """Wait until a killed service has another process."""
        await self.until(lambda: self.service_pid(name) != old_pid, seconds=20)

    async def status(self, *, seconds: float = 90.0) -> int:
        """Wait for its end and return its exit status."""
        await poll_until(lambda: not self._child.is_running(), seconds)
        status = self._child.exit_status()
        assert status is not None, self.out
        return status


async def all_gone(processes: set[ProcessMark], *, seconds: float = 20.0) -> bool:
    """Say whether processes are gone, giving them some time."""
    return await poll_until(lambda: not any(p.is_alive for p in processes), seconds)
