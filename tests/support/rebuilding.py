"""Running `uptake rebuild` beside the services of a test."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from services.cli.embedded.child import ChildProcess
from tests.support.stack import Stack, eventually

SECONDS_MAX = 60
DAILY_TOTALS = (
    "SELECT string_agg(d::text, E'\\n' ORDER BY d.series_id, d.day) "
    "FROM aggregation.daily_total AS d"
)


class RebuildProcess:
    """One run of the rebuild, as an operator starts it."""

    def __init__(self, stack: Stack, *arguments: str, **overrides: str) -> None:
        number = len(list(stack.folder.glob("rebuild-*")))
        self._log = stack.folder / f"rebuild-{number}"
        self.child = ChildProcess(
            [sys.executable, "-m", "services.aggregation", "rebuild", *arguments],
            log_path=self._log,
            death_signal="KILL",
            env={
                **os.environ,
                **stack.environment,
                "PYTHONPATH": str(Path(__file__).parents[2]),
                **overrides,
            },
        )
        self.child.spawn()

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8")

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return its log lines about an event."""
        found = []
        for line in self.text.splitlines():
            if line.startswith("{") and line.endswith("}"):
                said = json.loads(line)
                if said["event"] == event:
                    found.append(said)
        return found

    async def until_said(self, event: str) -> None:
        """Wait for a log line about an event."""

        async def is_said() -> bool:
            return bool(self.lines(event)) or not self.child.is_running()

        await eventually(is_said, what=f"{event}: {self.text}")
        assert self.lines(event), self.text

    async def status(self) -> int:
        """Wait for its end; return the exit status."""
        status = await self.child.wait(SECONDS_MAX)
        assert status is not None, self.text
        return status


async def rebuild(stack: Stack, *arguments: str, status: int = 0) -> RebuildProcess:
    """Run the rebuild to its end and check the exit status."""
    process = RebuildProcess(stack, *arguments)
    assert await process.status() == status, process.text
    return process


async def daily_totals(stack: Stack) -> str:
    """Return every byte of the daily totals, in key order."""
    rows = await stack.fetch(DAILY_TOTALS)
    return str(rows[0][0] or "")


async def table_number(stack: Stack, table: str = "aggregation.progress") -> int:
    """Return which table bears a name, to see whether it is another one."""
    rows = await stack.fetch("SELECT to_regclass($1)::oid::bigint", table)
    return int(rows[0][0] or 0)
