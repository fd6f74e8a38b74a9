"""`uptake rebuild`: the log again from offset 0, beside what serves, then a switch.

Delivery: the next generation is applied as the first was, one transaction a batch with
its own progress rows, so a crash repeats nothing and loses nothing, and the next run
goes on from there. It never goes beyond where the serving generation stands, so equal
offsets are always reached, and the two can be compared row by row.

The switch is one transaction: writers of the old generation are kept off, the rest is
applied, and the tables change places. Running services go on without a restart.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from services.aggregation.core.place import Place
from services.aggregation.store.generation import (
    Comparison,
    GenerationStore,
    HeldRebuild,
    SwitchBusyError,
)
from services.aggregation.store.ledger import LedgerStore, Progress, Slice
from services.aggregation.store.retention import BEGINNING, RetentionStore
from shared.backoff import wait_out
from shared.errors import FatalError, UptakeError

# What is applied while writers wait: a fraction of a second's work.
FENCED_RECORDS_MAX: Final = 20_000
# How many rows the next generation may have beyond those that it will keep.
RECORDS_PER_DROP: Final = 500_000
BUSY_PAUSE_SECONDS: Final = 2.0


class Replay(Protocol):
    """The log, read again."""

    def begin(self, places: Iterable[Place]) -> None:
        """Read from these places on, and nothing else."""

    async def read(self, ends: Mapping[int, int]) -> list[Slice]:
        """Return what comes next; nothing once every partition is at its end."""

    def partition_of(self, agency: str) -> int:
        """Return the partition that has an agency's events."""


class Display(Protocol):
    """Told how far the rebuild is."""

    def began(self, *, resumed: bool) -> None:
        """Note that the next generation's tables are there."""

    def moved(self, applied: int, wanted: int) -> None:
        """Note how many records are applied, of how many."""

    def waits(self, reason: str | None) -> None:
        """Note what is waited for; None once it is over."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        is_trial: Rebuild and compare, and let the serving generation stay.
        afresh: Do not go on with what an earlier run left.
    """

    is_trial: bool = False
    afresh: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        records: Records of the log that the next generation has applied.
        switched: Whether it serves now.
    """

    records: int
    comparison: Comparison
    switched: bool


class Rebuild:
    """One rebuild, from the first record to the switch."""

    def __init__(
        self,
        replay: Replay,
        generations: GenerationStore,
        ledger: LedgerStore,
        retention: RetentionStore,
        *,
        display: Display,
        order: Order,
    ) -> None:
        """Wire it; ledger and retention are those of the next generation."""
        self._replay = replay
        self._generations = generations
        self._ledger = ledger
        self._retention = retention
        self._applied_since_drop = 0
        self._display = display
        self._order = order
        self._afresh = order.afresh
        self._built_table: int | None = None
        self._outcome: Outcome | None = None
        self._places: dict[int, Place] = {}

    async def run(self) -> Outcome:
        """Rebuild; outages are waited out.

        Raises:
            FatalError: Another rebuild runs, or the log is not the one that was
                applied; the old generation serves.
        """
        return await wait_out("rebuild", self._attempt, on_outage=self._display.waits)

    async def _attempt(self) -> Outcome:
        async with self._generations.hold() as held:
            serving = await held.serving_table()
            if self._outcome is not None and serving == self._built_table:
                # The answer to the commit was lost, not the commit.
                return self._outcome
            resumed = await held.prepare(afresh=self._afresh)
            self._afresh = False
            self._built_table = await held.next_table()
            self._display.began(resumed=resumed)
            self._places = {}
            fenced_max = FENCED_RECORDS_MAX
            await self._follow(await held.stands())
            await self._drop_old_rows()
            while await self._ledger.carry_forward():
                pass
            await held.gather_statistics()
            while True:
                stands = await held.stands()
                if self._behind(stands) > fenced_max:
                    await self._follow(stands)
                    # Should we never be fast enough, writers wait a little longer.
                    fenced_max *= 2
                    continue
                try:
                    outcome = await self._try_switch(held, fenced_max)
                except SwitchBusyError as error:
                    self._display.waits(f"writers or long reads: {error}")
                    # Jitter keeps us from meeting the same reader again and again.
                    jitter = random.uniform(0.5, 1.5)  # noqa: S311 -- no secret
                    await asyncio.sleep(BUSY_PAUSE_SECONDS * jitter)
                    self._display.waits(None)
                    continue
                if outcome is not None:
                    return await self._finish(held, outcome)
                fenced_max *= 2

    async def _try_switch(self, held: HeldRebuild, fenced_max: int) -> Outcome | None:
        """Compare and switch behind the fence; None where too much is left to apply."""
        async with held.fence():
            stands = await held.stands()
            if self._behind(stands) > fenced_max:
                return None
            await self._follow(stands)
            self._check_equal(stands)
            comparison = await held.compare()
            records = sum(place.next_offset for place in self._places.values())
            outcome = Outcome(records, comparison, switched=not self._order.is_trial)
            if self._order.is_trial:
                return outcome
            if comparison.differing:
                agencies = await held.agencies()
                await held.note_differing(
                    {agency: self._replay.partition_of(agency) for agency in agencies}
                )
            await held.switch()
            self._outcome = outcome
        return outcome

    async def _finish(self, held: HeldRebuild, outcome: Outcome) -> Outcome:
        # A trial that found something leaves its work, so that a rebuild that follows
        # has only to switch.
        if self._order.is_trial and not outcome.comparison.differing:
            await held.remove_next()
        return outcome

    def _behind(self, stands: Mapping[int, Progress]) -> int:
        done = sum(place.next_offset for place in self._places.values())
        return sum(stand.next_offset for stand in stands.values()) - done

    async def _follow(self, stands: Mapping[int, Progress]) -> None:
        """Apply up to where the serving generation stands."""
        if stands.keys() != self._places.keys():
            await self._begin(stands.keys())
        ends = {partition: stand.next_offset for partition, stand in stands.items()}
        for place in self._places.values():
            if place.next_offset > ends[place.partition]:
                raise FatalError(
                    f"the next generation is ahead in partition {place.partition}: the "
                    "database was restored meanwhile; run the rebuild with --afresh"
                )
        wanted = sum(ends.values())
        # Out of their group again, as whoever waits outages out expects them.
        planned: list[BaseException] = []
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._replay.read(ends))
                while slices := await reading:
                    # The next batch is read and decoded while Postgres has this one.
                    reading = group.create_task(self._replay.read(ends))
                    await self._ledger.apply(slices)
                    self._note(slices)
                    if self._applied_since_drop >= RECORDS_PER_DROP:
                        await self._drop_old_rows()
                    self._display.moved(wanted - self._behind(stands), wanted)
        except* UptakeError as errors:
            planned.extend(errors.exceptions)
        if planned:
            raise planned[0]

    async def _begin(self, partitions: Iterable[int]) -> None:
        progress = await self._ledger.start_partitions(partitions)
        self._places = {
            partition: Place(partition, row.next_offset, row.last_record_hash)
            for partition, row in progress.items()
        }
        self._replay.begin(self._places.values())

    def _note(self, slices: Sequence[Slice]) -> None:
        for part in slices:
            place = self._places[part.partition]
            self._places[part.partition] = place.moved_to(
                part.next_offset, part.last_record_hash
            )
            self._applied_since_drop += len(part.records)

    async def _drop_old_rows(self) -> None:
        """Forget as the service does, or the disk would have to hold the whole log."""
        looked_up_to = BEGINNING
        while (step := await self._retention.drop_step(looked_up_to)) is not None:
            looked_up_to = step.looked_up_to
        self._applied_since_drop = 0

    def _check_equal(self, stands: Mapping[int, Progress]) -> None:
        """Refuse to exchange generations that were built from different logs."""
        for partition, stand in stands.items():
            place = self._places[partition]
            assert place.next_offset == stand.next_offset, (place, stand)
            if place.last_record_hash != stand.last_record_hash:
                raise FatalError(
                    f"uptake.events partition {partition} holds another record at "
                    f"offset {stand.next_offset - 1} than the one that was applied: "
                    "the log is not the one that was counted; nothing was switched"
                )
