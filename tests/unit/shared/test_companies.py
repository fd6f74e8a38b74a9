"""Records go in company: in order, each confirmed or not, nobody left waiting."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from shared.errors import TransientError
from shared.kafka import companies as module
from shared.kafka.companies import Companies
from tests.support.stack import eventually


@dataclass(slots=True)
class Road:
    """What is sent, until the test lets it arrive.

    Attributes:
        sent: What went together, in order.
        is_open: Cleared, nothing arrives.
        error: Raised in place of an arrival.
    """

    sent: list[tuple[str, list[bytes]]] = field(default_factory=list)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None

    async def send(
        self, key: str, values: Sequence[bytes], timeout_seconds: float
    ) -> None:
        """Take records; return when the way is open."""
        assert timeout_seconds > 0
        self.sent.append((key, list(values)))
        await self.is_open.wait()
        if self.error is not None:
            raise self.error

    async def until_sent(self, count: int) -> None:
        """Wait until so many companies are on their way."""

        async def are_sent() -> bool:
            return len(self.sent) >= count

        await eventually(are_sent, what=f"{count} companies on their way")


async def ask(companies: Companies, value: bytes, key: str = "bank") -> str:
    """Send a record; return what the caller was told, nothing if it was confirmed."""
    try:
        await companies.send(key, [value])
    except TransientError as error:
        return str(error)
    except ZeroDivisionError:
        return "a bug"
    return ""


async def gather(
    group: asyncio.TaskGroup, road: Road, companies: Companies, *values: bytes
) -> list[asyncio.Task[str]]:
    """Have the first record on its way, and the others wait behind it."""
    first = group.create_task(ask(companies, values[0]))
    await road.until_sent(1)
    others = [group.create_task(ask(companies, value)) for value in values[1:]]
    # Each joins in its first turn, before it waits for anything.
    await asyncio.sleep(0)
    return [first, *others]


async def test_those_who_come_meanwhile_go_together_and_in_order() -> None:
    """One way is used by one company at a time; another key has another way."""
    road = Road()
    companies = Companies(road.send, timeout_seconds=5)
    async with asyncio.TaskGroup() as group:
        tasks = await gather(group, road, companies, b"1", b"2", b"3", b"4")
        group.create_task(ask(companies, b"other", "shop"))
        await road.until_sent(2)
        assert road.sent == [("bank", [b"1"]), ("shop", [b"other"])]
        assert not any(task.done() for task in tasks)
        road.is_open.set()
    assert road.sent[2:] == [("bank", [b"2", b"3", b"4"])]
    assert [task.result() for task in tasks] == [""] * 4


async def test_failure_is_told_to_each_and_holds_up_nobody_after() -> None:
    """What went is unknown for all of them; the way is free for the next."""
    road = Road(error=TransientError("kafka did not confirm"))
    companies = Companies(road.send, timeout_seconds=5)
    async with asyncio.TaskGroup() as group:
        tasks = await gather(group, road, companies, b"1", b"2", b"3")
        road.is_open.set()
    assert [task.result() for task in tasks] == ["kafka did not confirm"] * 3
    road.error = None
    assert await ask(companies, b"4") == ""
    assert road.sent[-1] == ("bank", [b"4"])


async def test_company_whose_first_caller_is_given_up_is_told() -> None:
    """Its task sends for all; without it they would wait for ever."""
    road = Road()
    companies = Companies(road.send, timeout_seconds=5)
    async with asyncio.TaskGroup() as group:
        tasks = await gather(group, road, companies, b"1", b"2", b"3", b"4")
        tasks[1].cancel()
        for task in tasks[2:]:
            assert "interrupted" in await task
        road.is_open.set()
    assert tasks[0].result() == ""
    assert tasks[1].cancelled()
    assert await ask(companies, b"5") == ""
    assert [values for _, values in road.sent] == [[b"1"], [b"5"]]


async def test_bug_leaves_nobody_waiting() -> None:
    """It ends its own request; the others hear that theirs is unknown."""
    road = Road()
    companies = Companies(road.send, timeout_seconds=5)
    async with asyncio.TaskGroup() as group:
        tasks = await gather(group, road, companies, b"1", b"2", b"3")
        road.error = ZeroDivisionError()
        road.is_open.set()
    assert [task.result() for task in tasks[:2]] == ["a bug"] * 2
    assert "interrupted" in tasks[2].result()


async def test_caller_that_is_given_up_gives_up_its_own_only() -> None:
    """The others of its company are confirmed."""
    road = Road()
    companies = Companies(road.send, timeout_seconds=5)
    async with asyncio.TaskGroup() as group:
        tasks = await gather(group, road, companies, b"1", b"2", b"3", b"4")
        tasks[2].cancel()
        road.is_open.set()
    assert tasks[2].cancelled()
    assert [task.result() for task in (tasks[0], tasks[1], tasks[3])] == [""] * 3


async def test_company_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit goes with the next one."""
    monkeypatch.setattr(module, "COMPANY_BYTES_MAX", 5)
    road = Road()
    companies = Companies(road.send, timeout_seconds=5)
    async with asyncio.TaskGroup() as group:
        await gather(group, road, companies, b"1", b"22", b"333", b"4", b"55555")
        road.is_open.set()
    sent = [values for _, values in road.sent[1:]]
    assert sent == [[b"22", b"333"], [b"4"], [b"55555"]]


async def test_who_waits_behind_a_blocked_way_is_told_in_time() -> None:
    """Nothing of theirs was sent."""
    road = Road()
    companies = Companies(road.send, timeout_seconds=1)
    async with asyncio.TaskGroup() as group:
        tasks = await gather(group, road, companies, b"1", b"2", b"3")
        for task in tasks[1:]:
            assert (await task).endswith("nothing was sent")
        road.is_open.set()
    assert tasks[0].result() == ""
    assert len(road.sent) == 1
