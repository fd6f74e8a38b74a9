"""Batches that were read and wait to be applied, several side by side.

Records of a partition are applied in their order, one batch after the other; other
partitions do not wait for it. So one writer's Python runs while Postgres works for
another, and a partition with a long backlog keeps nobody waiting (ADR 0013).
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager

from services.aggregation.consumer.assignment import Cut


class WaitingCuts:
    """At most one cut of each partition, and so many records in all."""

    def __init__(self, *, records_max: int) -> None:
        """Start with nothing waiting.

        Args:
            records_max: Most records that wait, and most that are taken at once.
        """
        self._records_max = records_max
        self._cuts: dict[int, Cut] = {}
        self._in_work: set[int] = set()
        self._changed = asyncio.Condition()

    @property
    def room_records(self) -> int:
        """How many more records may be read now; 0 or more."""
        waiting = sum(len(cut.slice.records) for cut in self._cuts.values())
        return max(self._records_max - waiting, 0)

    async def wait_for_room(self, ours: Collection[int]) -> list[int]:
        """Wait until records of one of our partitions may be read.

        Args:
            ours: Looked at anew each time, for while one waits a rebalance or a
                restart may take partitions away.

        Returns:
            Those of them of which nothing waits; at least one, unless none is ours.
        """
        async with self._changed:
            await self._changed.wait_for(
                lambda: self.room_records > 0 and (not ours or bool(self._free(ours)))
            )
            return self._free(ours)

    async def add(self, cuts: Iterable[Cut]) -> None:
        """Let cuts wait, each of a partition of which nothing waits yet."""
        async with self._changed:
            for cut in cuts:
                assert cut.slice.partition not in self._cuts, "one cut each"
                self._cuts[cut.slice.partition] = cut
            self._changed.notify_all()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[list[Cut]]:
        """Wait for cuts that may be applied now; their partitions are ours meanwhile.

        Yields:
            Cuts of different partitions, none of which another holds.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: bool(self._ready()))
            cuts = self._take()
        held = {cut.slice.partition for cut in cuts}
        try:
            yield cuts
        finally:
            self._in_work -= held
            await self._tell()

    def _free(self, partitions: Iterable[int]) -> list[int]:
        """Return those of the partitions of which nothing waits."""
        return [each for each in partitions if each not in self._cuts]

    def _ready(self) -> list[Cut]:
        """Return the waiting cuts of partitions that nobody works on, oldest first."""
        return [
            cut
            for partition, cut in self._cuts.items()
            if partition not in self._in_work
        ]

    def _take(self) -> list[Cut]:
        """Take as many as one transaction may have, and at least one."""
        taken: list[Cut] = []
        records = 0
        for cut in self._ready():
            records += len(cut.slice.records)
            if taken and records > self._records_max:
                break
            taken.append(cut)
        for cut in taken:
            del self._cuts[cut.slice.partition]
            self._in_work.add(cut.slice.partition)
        self._changed.notify_all()
        return taken

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()
