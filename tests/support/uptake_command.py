"""Runs the `uptake` command as a user would, against the servers of a test."""

import asyncio
import os
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from tests.support.stack import Stack

SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    errors: str

    @property
    def widest(self) -> int:
        """Length of the longest line shown."""
        return max((len(line) for line in self.out.splitlines()), default=0)


async def run_uptake(
    stack: Stack,
    *words: str | Path,
    without: Collection[str] = (),
    **environment: str,
) -> Ran:
    """Run `uptake` with the settings of a stack; nothing else is inherited.

    Args:
        stack: Whose settings.
        words: The command line.
        without: Settings of the stack that the command does not get.
        environment: Further settings.
    """
    given = {
        name: value for name, value in stack.environment.items() if name not in without
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.cli",
        *(str(word) for word in words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONWARNINGS": "error::ResourceWarning",
            **given,
            **environment,
        },
        cwd=stack.folder,
    )
    try:
        async with asyncio.timeout(SECONDS_MAX):
            out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return Ran(process.returncode or 0, out.decode(), errors.decode())
