"""`uptake republish`: all totals to `uptake.totals` once more.

For a topic that was made anew, or that lost messages. This only notes totals in the
outbox; running aggregations publish them at their own pace, as whatever else changes.
Stopped at any time it leaves nothing half done, and may be run again from the
beginning: values are absolute, and a reader who has one already keeps it.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, Protocol, TypeVar

from services.aggregation.store.republish import PARTS, Part, Place, RepublishStore
from shared.backoff import wait_out

# Noted and not yet published: bounds the outbox, whatever the number of totals.
WAITING_ROWS_MAX: Final = 100_000
LOOK_SECONDS: Final = 0.25
# Aggregation publishes every second, so this long without any is worth a word.
IDLE_SECONDS_MAX: Final = 15.0

ResultT = TypeVar("ResultT")


class Display(Protocol):
    """Told how far it is."""

    def moved(self, noted: int, of_rows: int, waiting: int) -> None:
        """Note how many totals are noted, of about how many, and how many wait."""

    def waits(self, reason: str | None) -> None:
        """Note what is waited for; None once it is over."""


class Republication:
    """One run."""

    def __init__(
        self,
        store: RepublishStore,
        display: Display,
        partition_of: Callable[[str], int],
        *,
        waiting_rows_max: int = WAITING_ROWS_MAX,
        idle_seconds_max: float = IDLE_SECONDS_MAX,
    ) -> None:
        """Wire it.

        Args:
            store: Notes pages.
            display: Shows how far it is.
            partition_of: Gives the partition that has an agency's events.
            waiting_rows_max: Most rows of the outbox; at least one page.
            idle_seconds_max: After how long without any publication to say so.
        """
        self._store = store
        self._display = display
        self._partition_of = partition_of
        self._waiting_max = waiting_rows_max
        self._idle_seconds_max = idle_seconds_max
        self._noted = 0
        self._total = 0
        self._least = 0
        self._least_at = 0.0
        self._is_idle = False

    async def run(self) -> int:
        """Note everything and wait until it is published; outages are waited out.

        A total that changes meanwhile counts as published: it is with the next round,
        for its own sake.

        Returns:
            How many totals, statements and reports were noted.

        Raises:
            FatalError: The tables are missing.
        """
        agencies = await self._ask(self._store.agencies)
        partitions = {agency: self._partition_of(agency) for agency in agencies}
        self._total = await self._ask(self._store.count)
        for part in PARTS:
            await self._note(part, partitions)
        end = await self._ask(self._store.end)
        await self._until(lambda: self._is_published(end))
        return self._noted

    async def _note(self, part: Part, partitions: Mapping[str, int]) -> None:
        """Note all rows of a table, as room comes free."""
        place: Place | None = part.first_place
        while place is not None:
            await self._until(self._has_room)
            page = await self._ask(partial(self._store.note, part, place, partitions))
            self._noted += page.rows
            place = page.place

    async def _has_room(self) -> bool:
        waiting = await self._ask(self._store.waiting)
        self._say(waiting)
        return waiting <= self._waiting_max - self._store.page_rows

    async def _is_published(self, end: int) -> bool:
        left = await self._ask(lambda: self._store.left(end))
        self._say(left)
        return left == 0

    async def _until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until a condition holds; say so where nothing moves."""
        self._least_at, self._least = time.monotonic(), sys.maxsize
        while True:
            if await condition():
                break
            await asyncio.sleep(LOOK_SECONDS)
        if self._is_idle:
            self._is_idle = False
            self._display.waits(None)

    def _say(self, waiting: int) -> None:
        self._display.moved(self._noted, self._total, waiting)
        now = time.monotonic()
        if waiting < self._least:
            self._least, self._least_at = waiting, now
        elif now - self._least_at >= self._idle_seconds_max and not self._is_idle:
            self._is_idle = True
            self._display.waits(
                f"{waiting:,} totals, and none was published for "
                f"{self._idle_seconds_max:g} s: does aggregation run, and is it ready?"
            )

    async def _ask(self, action: Callable[[], Awaitable[ResultT]]) -> ResultT:
        return await wait_out("republish", action, on_outage=self._display.waits)
