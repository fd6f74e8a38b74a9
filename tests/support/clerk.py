"""A clerk who types `uptake send` in a folder, against a door of the test's own."""

import asyncio
import csv
import os
import sys
from collections import Counter
from pathlib import Path

from tests.support.counting_door import CountingDoor, Event
from tests.support.uptake_command import Ran

ROOT = Path(__file__).parents[2]
HEADER = "locality,time,count\n"
WORDS = ("--as", "/test/bank", "--indicator", "cashless_accounts")


class Clerk:
    """Types `uptake send` in a folder."""

    def __init__(self, folder: Path, door: CountingDoor) -> None:
        self.folder = folder
        self._door = door

    def write(self, text: str, name: str = "sales.csv") -> Path:
        """Save a file."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    async def begin(self, *words: str) -> asyncio.subprocess.Process:
        """Start the command."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "services.cli", "send", *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "UPTAKE_URL": self._door.url,
                "UPTAKE_KEY": "key",
            },
            cwd=self.folder,
        )

    async def send(self, *words: str) -> Ran:
        """Run the command to its end."""
        child = await self.begin(*words)
        out, errors = await child.communicate()
        assert child.returncode is not None
        return Ran(child.returncode, out.decode(), errors.decode())

    def refused(self, name: str = "sales.refused.csv") -> list[list[str]]:
        """Read a file of refused rows."""
        text = (self.folder / name).read_text(encoding="utf-8-sig")
        return list(csv.reader(text.splitlines()))


def unknown_places(event: Event) -> str | None:
    """Refuse localities that begin with 9."""
    data = event["data"]
    return "unknown_locality" if str(data.get("locality")).startswith("9") else None


def counts(door: CountingDoor) -> Counter[tuple[str, int]]:
    """Return what stands, by locality and count."""
    return Counter(
        (event["data"]["locality"], event["data"].get("count", 1))
        for event in door.standing()
    )
