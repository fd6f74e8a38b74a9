"""A stream of events, one a line, of any length in constant memory.

Lines are decided on and appended part by part, in order. A few parts are held that the
log has not confirmed yet, and the next one. So the sender is read no faster than the
log confirms, and nothing is counted as accepted before it is durable.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from services.ingest.core.json_text import EventBounds
from services.ingest.core.lines import Line, LineCutter
from services.ingest.core.receipt import Decided, StreamTally
from services.ingest.wire.plain import read_line
from services.ingest.wire.problems import ProblemError

PART_EVENTS_MAX: Final = 1_000
PART_BYTES_MAX: Final = 512 * 1024
UNDER_WAY_MAX: Final = 3
"""With one, a log that takes 20 ms to confirm would be half the speed."""

Decide = Callable[[Sequence[object]], Awaitable[Decided]]
Append = Callable[[Decided], Awaitable[None]]


@dataclass(slots=True)
class _Part:
    """Some lines, and what they hold.

    Attributes:
        lines: Where each event stood.
        through: The last line that the part covers.
    """

    events: list[object]
    lines: list[int]
    through: int = 0
    size: int = 0

    def add(self, line: Line, bounds: EventBounds) -> None:
        self.events.append(read_line(line.content, bounds))
        self.lines.append(line.number)
        self.through = line.number
        self.size += len(line.content or b"")

    @property
    def is_full(self) -> bool:
        return len(self.events) >= PART_EVENTS_MAX or self.size >= PART_BYTES_MAX


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A part that the log has not confirmed yet."""

    part: _Part
    decided: Decided
    outcome: asyncio.Task[ProblemError | None]


class StreamIntake:
    """Takes one stream.

    Attributes:
        tally: What is settled, at any time.
    """

    def __init__(
        self, tally: StreamTally, bounds: EventBounds, *, decide: Decide, append: Append
    ) -> None:
        self.tally = tally
        self._bounds = bounds
        self._decide = decide
        self._append = append
        self._cutter = LineCutter(bounds.bytes_max)
        self._under_way: deque[_UnderWay] = deque()

    async def take(self, pieces: AsyncIterator[bytes]) -> None:
        """Take the whole stream.

        Args:
            pieces: What the sender sends, unpacked.

        Raises:
            ProblemError: The stream cannot be taken further. What was under way was
                waited for; the tally says what is settled.
        """
        broken: ProblemError | None = None
        async with asyncio.TaskGroup() as group:
            try:
                async with aclosing(self._parts(pieces)) as parts:
                    async for part in parts:
                        await self._hand_over(part, group)
            except ProblemError as error:
                broken = error
            try:
                while self._under_way:
                    await self._settle()
            except ProblemError as error:
                # That the log did not confirm weighs more than what came after.
                broken = error
        if broken is not None:
            raise broken

    async def _parts(self, pieces: AsyncIterator[bytes]) -> AsyncGenerator[_Part]:
        part = _Part([], [])
        async for piece in pieces:
            for line in self._cutter.feed(piece):
                part.add(line, self._bounds)
                if part.is_full:
                    yield part
                    part = _Part([], [])
            if part.events and self._is_log_idle:
                # What a slow sender has sent waits for nothing; a fast one fills the
                # next part while the log works.
                yield part
                part = _Part([], [])
        for line in self._cutter.finish():
            part.add(line, self._bounds)
        part.through = self._cutter.number
        yield part

    @property
    def _is_log_idle(self) -> bool:
        return all(each.outcome.done() for each in self._under_way)

    async def _hand_over(self, part: _Part, group: asyncio.TaskGroup) -> None:
        decided = await self._decide(part.events)
        part.events.clear()
        while len(self._under_way) >= UNDER_WAY_MAX:
            await self._settle()
        outcome = group.create_task(self._confirm(decided))
        self._under_way.append(_UnderWay(part, decided, outcome))

    async def _confirm(self, decided: Decided) -> ProblemError | None:
        try:
            await self._append(decided)
        except ProblemError as error:
            return error
        return None

    async def _settle(self) -> None:
        """Wait for the oldest part; the others stay unknown if it is not confirmed."""
        oldest = self._under_way.popleft()
        problem = await oldest.outcome
        if problem is not None:
            self._under_way.clear()
            raise problem
        part = oldest.part
        self.tally.settle(oldest.decided, part.lines, part.through)
