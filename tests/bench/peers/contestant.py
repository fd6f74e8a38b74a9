"""Who takes part: four peers, and our own aggregation."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from services.cli.embedded.child import ChildProcess
from shared.events.topics import EVENTS
from tests.bench.peers.environment import (
    HERE,
    EnvironmentMissingError,
    locked_version,
    make_environment,
    python_version,
    run,
)
from tests.bench.peers.truth import Place
from tests.support.stack import PARTITIONS, Stack

# How often those commit who commit by the clock.
COMMIT_SECONDS = 1.0
TABLE = """
    CREATE TABLE public.total (
        indicator text NOT NULL,
        agency text NOT NULL,
        locality text NOT NULL,
        day text NOT NULL,
        count bigint NOT NULL,
        amount bigint NOT NULL,
        PRIMARY KEY (indicator, agency, locality, day)
    )
"""
SUM = "SELECT coalesce(sum(count), 0)::bigint FROM "
ROWS = "SELECT indicator, agency, locality, day::text, count, amount FROM "


class Contestant(Protocol):
    """One program that does the job; a match starts it on an empty database."""

    name: str
    version: str

    async def prepare(self, stack: Stack) -> None:
        """Make what it needs before its first start."""

    def spawn(self) -> ChildProcess:
        """Start it, or start it again after it was killed."""

    async def counted(self) -> int:
        """Return what its totals come to at this moment."""

    async def totals(self) -> dict[Place, tuple[int, int]]:
        """Return its totals."""


async def read_totals(stack: Stack, table: str) -> dict[Place, tuple[int, int]]:
    """Read a table of totals."""
    rows = await stack.fetch(ROWS + table)
    return {(row[0], row[1], row[2], row[3]): (row[4], row[5]) for row in rows}


class OurService:
    """Aggregation as it is released: one process, its default settings."""

    name = "Uptake"
    version = "this commit"
    _table = "reporting.daily_total"

    def __init__(self) -> None:
        self._stack: Stack | None = None

    @property
    def stack(self) -> Stack:
        """Return the stack of the match."""
        assert self._stack is not None, "not prepared"
        return self._stack

    async def prepare(self, stack: Stack) -> None:
        """Take the stack; its tables are migrated."""
        self._stack = stack

    def spawn(self) -> ChildProcess:
        """Start aggregation."""
        return self.stack.spawn("aggregation")

    async def counted(self) -> int:
        """Sum its daily totals."""
        return int((await self.stack.fetch(SUM + self._table))[0][0])

    async def totals(self) -> dict[Place, tuple[int, int]]:
        """Read its daily totals."""
        return await read_totals(self.stack, self._table)


@dataclass(frozen=True, slots=True)
class Start:
    """How a peer is started.

    Attributes:
        command: What its Python is told.
        before: What its Python is told once, before the first start.
    """

    command: Callable[[Path], tuple[str, ...]]
    before: Callable[[Path], tuple[str, ...]] | None = None


def _script(folder: str) -> Start:
    return Start(lambda _: (str(HERE / folder / "program.py"),))


BYTEWAX = Start(
    lambda state: (
        *("-m", "bytewax.run", "program:flow"),
        *("-r", str(state), "-s", f"{COMMIT_SECONDS:g}", "-b", "0"),
    ),
    lambda state: ("-m", "bytewax.recovery", str(state), "1"),
)
FAUST = Start(lambda _: ("-m", "faust", "-A", "program", "worker", "-l", "warn"))


class Peer:
    """A framework, with the program that stands in its folder."""

    _table = "public.total"

    def __init__(self, name: str, folder: str, distribution: str, start: Start) -> None:
        """Describe a peer; nothing is made.

        Args:
            name: For people.
            folder: Its folder here.
            distribution: The package whose version counts.
            start: How it is started.
        """
        self.name = name
        self.folder = folder
        self.version = locked_version(folder, distribution)
        self._start = start
        self._python = Path()
        self._stack: Stack | None = None
        self._matches = 0
        self._state = Path()

    async def install(self, environments: Path) -> None:
        """Make its environment.

        Raises:
            EnvironmentMissingError: It cannot be made.
        """
        self._python = await make_environment(
            environments / self.folder, HERE / self.folder / "requirements.txt"
        )
        self.version += f", {await python_version(self._python)}"

    @property
    def stack(self) -> Stack:
        """Return the stack of the match."""
        assert self._stack is not None, "not prepared"
        return self._stack

    async def prepare(self, stack: Stack) -> None:
        """Make its table and its empty state.

        Raises:
            EnvironmentMissingError: What goes before the first start failed.
        """
        self._stack = stack
        await stack.fetch(TABLE)
        self._matches += 1
        # Also the group's name: a second match must not go on where the first ended.
        self._state = stack.folder / f"{self.folder}-{self._matches}"
        self._state.mkdir()
        if self._start.before is not None:
            ran = await run(self._python, *self._start.before(self._state), seconds=60)
            if ran.status != 0:
                raise EnvironmentMissingError(ran.last_line)

    def spawn(self) -> ChildProcess:
        """Start the program."""
        group = self._state.name
        log_path = self._state.with_name(f"{group}-log") / "log"
        log_path.parent.mkdir(exist_ok=True)
        child = ChildProcess(
            [self._python, *self._start.command(self._state)],
            log_path=log_path,
            death_signal="KILL",
            env={
                **os.environ,
                "PYTHONPATH": str(HERE / self.folder),
                "PEER_BOOTSTRAP_SERVERS": self.stack.bootstrap_servers,
                "PEER_TOPIC": EVENTS,
                "PEER_PARTITIONS": str(PARTITIONS),
                "PEER_GROUP": group,
                "PEER_DSN": self.stack.dsn,
                "PEER_STATE": str(self._state),
                "PEER_COMMIT_SECONDS": f"{COMMIT_SECONDS:g}",
            },
        )
        child.spawn()
        return child

    async def counted(self) -> int:
        """Sum its table."""
        return int((await self.stack.fetch(SUM + self._table))[0][0])

    async def totals(self) -> dict[Place, tuple[int, int]]:
        """Read its table."""
        return await read_totals(self.stack, self._table)


def peers() -> list[Peer]:
    """Return the four."""
    return [
        Peer("Quix Streams", "quix_streams", "quixstreams", _script("quix_streams")),
        Peer("Bytewax", "bytewax", "bytewax", BYTEWAX),
        Peer("Pathway", "pathway", "pathway", _script("pathway")),
        Peer("Faust", "faust", "faust-streaming", FAUST),
    ]
