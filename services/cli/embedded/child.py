"""One child process: started through `launch`, ended for certain.

Nothing here belongs to an event loop, so a server that one loop started can be
stopped from another (pytest gives each test its own).
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
POLL_SECONDS = 0.02
KILL_SECONDS_MAX = 10.0
LOG_TAIL_BYTES = 4096


async def poll_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until `condition` holds, at most `seconds`; say whether it does."""
    deadline = time.monotonic() + seconds
    while not (is_true := condition()):
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            break
        await asyncio.sleep(min(POLL_SECONDS, remaining))
    return is_true


def log_tail(path: Path, *, lines_max: int = 3) -> str:
    """Return the last lines of a log as one line; empty when there are none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-lines_max:])


class ChildProcess:
    """A command in a session of its own, so that Ctrl-C reaches only its parent.

    It is told `death_signal` when the thread that called `spawn` ends, however that
    came about. Its output is appended to `log_path`.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log_path: Path,
        death_signal: str = "TERM",
        as_nobody: bool = False,
        env: Mapping[str, str] | None = None,
        kept_fds: Sequence[int] = (),
    ) -> None:
        """Describe the process; nothing is started.

        Args:
            command: The program and its arguments.
            log_path: Where its output goes; the folder exists and is its own.
            death_signal: A signal's name without `SIG`.
            as_nobody: Run as `nobody` when we are root.
            env: The whole environment; ours when None.
            kept_fds: Descriptors it inherits, e.g. a lock held while it lives.
        """
        self.command = [str(part) for part in command]
        self.log_path = log_path
        self._death_signal = death_signal
        self._as_nobody = as_nobody
        self._env = env
        self._kept_fds = tuple(kept_fds)
        self._process: subprocess.Popen[bytes] | None = None
        self._family_fd = -1

    def spawn(self) -> None:
        """Start the process.

        Raises:
            OSError: The log cannot be written or the process cannot be made.
        """
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
        launcher += ["--parent", str(os.getpid()), "--signal", self._death_signal]
        if self._as_nobody and os.geteuid() == 0:
            launcher.append("--as-nobody")
        # All descendants inherit the write end; when the read end sees its end, the
        # last of them is gone. A server's workers may outlive the server.
        read_fd, write_fd = os.pipe()
        try:
            with self.log_path.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603 - no shell, our words
                    [*launcher, "--", *self.command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.log_path.parent,
                    env=self._env,
                    start_new_session=True,
                    pass_fds=(write_fd, *self._kept_fds),
                )
        except BaseException:
            os.close(read_fd)
            raise
        finally:
            os.close(write_fd)
        os.set_blocking(read_fd, False)
        self._family_fd = read_fd

    @property
    def pid(self) -> int:
        """The process id; the launcher's is the command's.

        Raises:
            ProcessLookupError: Not started.
        """
        if self._process is None:
            raise ProcessLookupError("process was not started")
        return self._process.pid

    def exit_status(self) -> int | None:
        """Return the exit status; None while it runs or before it was started."""
        return None if self._process is None else self._process.poll()

    def is_running(self) -> bool:
        """Say whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def _is_family_gone(self) -> bool:
        """Say whether the process and all it started are gone."""
        if self.is_running():
            return False
        if self._family_fd < 0:
            return True
        try:
            is_gone = os.read(self._family_fd, 1) == b""
        except BlockingIOError:
            return False
        os.close(self._family_fd)
        self._family_fd = -1
        return is_gone

    async def wait(self, seconds: float) -> int | None:
        """Wait for the process and all it started; None when that took too long."""
        if await poll_until(self._is_family_gone, seconds):
            return self.exit_status()
        return None

    async def stop(self, steps: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send each signal in turn, waiting its seconds, and at last SIGKILL.

        Harmless when the process has ended or was never started.
        """
        for number, seconds in (*steps, (signal.SIGKILL, KILL_SECONDS_MAX)):
            if self._process is None or self._is_family_gone():
                return
            self.send(number)
            await poll_until(self._is_family_gone, seconds)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; harmless when the process has ended."""
        if self._process is not None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """End it as a crash does: SIGKILL, and wait until all of it is gone."""
        await self.stop(())
