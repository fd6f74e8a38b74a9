"""What waits to be applied: order within a partition, none waits for another."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from services.aggregation.consumer.assignment import Cut
from services.aggregation.consumer.waiting import WaitingCuts
from services.aggregation.core.record import LogRecord
from services.aggregation.store.ledger import Slice

AT = datetime(2026, 11, 22, tzinfo=UTC)


def cut(partition: int, first: int, records: int) -> Cut:
    """Make a cut of so many records."""
    found = [
        LogRecord(partition, first + number, AT, None) for number in range(records)
    ]
    part = Slice(partition, first, first + records, b"", found, lambda _: (None, None))
    return Cut(part, term=0)


def partitions(cuts: Sequence[Cut]) -> list[int]:
    """Name the partitions of cuts."""
    return [each.slice.partition for each in cuts]


async def settle() -> None:
    """Let every task that can go on go on."""
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def held(waiting: WaitingCuts) -> AsyncIterator[list[Cut]]:
    """Take what can be had at once; fail where that is nothing."""
    async with asyncio.timeout(1), waiting.taken() as cuts:
        yield cuts


async def test_a_partition_in_work_keeps_its_next_records_waiting() -> None:
    """Others are taken meanwhile; its own come when the first are done."""
    waiting = WaitingCuts(records_max=10)
    await waiting.add([cut(0, 0, 2)])
    async with asyncio.TaskGroup() as tasks, held(waiting) as first:
        assert partitions(first) == [0]
        await waiting.add([cut(0, 2, 2), cut(1, 0, 2)])
        async with held(waiting) as second:
            assert partitions(second) == [1]
            third = tasks.create_task(_take_once(waiting))
            await settle()
            assert not third.done()
    assert third.result()[0].slice.first_offset == 2


async def _take_once(waiting: WaitingCuts) -> list[Cut]:
    async with waiting.taken() as cuts:
        return cuts


async def test_small_cuts_are_taken_together_up_to_the_bound() -> None:
    """At a low rate one transaction serves many partitions."""
    waiting = WaitingCuts(records_max=10)
    await waiting.add([cut(number, 0, 4) for number in range(4)])
    async with held(waiting) as cuts:
        assert partitions(cuts) == [0, 1]


async def test_a_cut_larger_than_the_bound_is_taken_alone() -> None:
    """It cannot be made smaller any more, and must not wait for ever."""
    waiting = WaitingCuts(records_max=3)
    await waiting.add([cut(0, 0, 9), cut(1, 0, 1)])
    async with held(waiting) as cuts:
        assert partitions(cuts) == [0]


async def test_reading_waits_while_there_is_no_room() -> None:
    """So memory is bounded, whatever the log holds."""
    waiting = WaitingCuts(records_max=4)
    await waiting.add([cut(0, 0, 4)])
    assert waiting.room_records == 0
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(waiting.wait_for_room([0, 1]))
        await settle()
        assert not reading.done()
        async with held(waiting):
            await reading
            assert waiting.room_records == 4


async def test_reading_waits_while_something_of_every_partition_waits() -> None:
    """Of a partition one cut waits at most."""
    waiting = WaitingCuts(records_max=100)
    await waiting.add([cut(0, 0, 1), cut(1, 0, 1)])
    assert await waiting.wait_for_room([0, 1, 2]) == [2]
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(waiting.wait_for_room([0, 1]))
        await settle()
        assert not reading.done()
        async with held(waiting):
            assert await reading == [0, 1]


async def test_room_of_a_partition_that_starts_again_lets_nobody_read() -> None:
    """Else the others would be read, of which cuts wait still: all meant, none named.

    A restart voids what was read of a partition; an applier then takes the void cut.
    """
    waiting = WaitingCuts(records_max=10)
    ours = {0: "place", 1: "place"}
    await waiting.add([cut(0, 0, 9), cut(1, 0, 9)])
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(waiting.wait_for_room(ours))
        await settle()
        del ours[0]
        async with held(waiting) as void:
            assert partitions(void) == [0]
            await settle()
            assert not reading.done()
        async with held(waiting) as others:
            assert partitions(others) == [1]
            assert await reading == [1]


async def test_without_partitions_of_ours_reading_goes_on() -> None:
    """The consumer must be asked, or it never learns of a new assignment."""
    waiting = WaitingCuts(records_max=1)
    async with asyncio.timeout(1):
        assert await waiting.wait_for_room([]) == []


async def test_an_applier_that_is_stopped_gives_its_partitions_back() -> None:
    """Cancelled in the middle, as at a stop or a bug."""
    waiting = WaitingCuts(records_max=10)
    await waiting.add([cut(0, 0, 1)])
    with pytest.raises(ZeroDivisionError):
        await _fail_in_the_middle(waiting)
    await waiting.add([cut(0, 1, 1)])
    async with held(waiting) as cuts:
        assert cuts[0].slice.first_offset == 1


async def _fail_in_the_middle(waiting: WaitingCuts) -> None:
    async with held(waiting):
        raise ZeroDivisionError
