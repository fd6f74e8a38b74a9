"""Has rows checked without any server: by ingest's own decisions, in a child."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.cli.send_http import Outcome, SendStoppedError, read_receipt
from services.cli.send_plan import ReadyRow
from services.cli.shipped import CODE_ROOT

LINE_BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """What rows are checked against.

    Attributes:
        catalogue: Its directory.
        agency: Whose rows they are; None for the owner of their source.
        at: The instant at which they are judged, RFC 3339; None for now.
    """

    catalogue: Path
    agency: str | None = None
    at: str | None = None


class CheckingDoor:
    """A door behind which nothing is kept."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self._turn = asyncio.Lock()

    async def deliver(self, rows: Sequence[ReadyRow]) -> Outcome:
        """Have every row accepted or refused.

        Raises:
            SendStoppedError: It cannot be checked; the line says why.
        """
        if not rows:
            return Outcome(0, ())
        batch = b"[" + b",".join(row.body for row in rows) + b"]\n"
        # Answers come in the order of the questions, so one is asked at a time.
        async with self._turn:
            answer = await self._ask(batch)
        return read_receipt(answer, rows)

    async def _ask(self, batch: bytes) -> bytes:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        try:
            self._child.stdin.write(batch)
            await self._child.stdin.drain()
            answer = await self._child.stdout.readline()
        except (ConnectionError, ValueError) as error:
            raise SendStoppedError(f"the check broke off: {error}") from error
        if answer:
            return answer
        said = (await self._child.stderr.read()).decode(errors="replace").split("\n")
        lines = [line.removeprefix("uptake: ") for line in said if line]
        raise SendStoppedError(lines[-1] if lines else "the check ended by itself")


@asynccontextmanager
async def open_check(check: Check) -> AsyncIterator[CheckingDoor]:
    """Run ingest's decisions beside us for as long as rows are checked."""
    words = ["--catalogue", str(check.catalogue)]
    if check.agency is not None:
        words += ["--agency", check.agency]
    if check.at is not None:
        words += ["--at", check.at]
    inherited = [str(CODE_ROOT), os.environ.get("PYTHONPATH", "")]
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.ingest",
        "check",
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(part for part in inherited if part),
        },
    )
    try:
        yield CheckingDoor(child)
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
