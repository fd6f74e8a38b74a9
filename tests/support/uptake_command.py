"""Runs the `uptake` command as a user would, against the servers of a test."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tests.support.stack import Stack

SECONDS_MAX = 60.0

# The views that the command needs and that aggregation's migrations lack so far.
LOCALITY_ABOVE = """
CREATE OR REPLACE VIEW reporting.locality_above AS
SELECT leaf, leaf_valid_from, code, valid_from FROM aggregation.locality_above
"""


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


async def run_uptake(stack: Stack, *words: str | Path, **environment: str) -> Ran:
    """Run `uptake` with the settings of a stack; nothing else is inherited."""
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
            **stack.environment,
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


async def show_tree_to_readers(stack: Stack) -> None:
    """Make the view of the tree if the migrations have not."""
    connection = await asyncpg.connect(stack.dsn)
    try:
        if not await connection.fetchval(
            "SELECT to_regclass('reporting.locality_above')"
        ):
            await connection.execute(LOCALITY_ABOVE)
    finally:
        await connection.close()
