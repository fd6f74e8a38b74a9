"""Waiting an outage out."""

import pytest

from shared.backoff import FIRST_SECONDS, LONGEST_SECONDS, delays_seconds, wait_out
from shared.errors import FatalError, TransientError


def test_delay_grows_from_the_first_to_the_longest_and_no_further() -> None:
    """Doubling, with a bound: an outage of a week must not overflow anything."""
    ceiling = 2 * FIRST_SECONDS
    for attempt in range(1, 10):
        drawn = [delays_seconds(attempt) for _ in range(50)]
        assert min(drawn) >= ceiling / 2
        assert max(drawn) <= ceiling
        ceiling = min(2 * ceiling, LONGEST_SECONDS)
    assert LONGEST_SECONDS / 2 <= delays_seconds(1_000_000) <= LONGEST_SECONDS


def test_delays_differ_so_that_retries_spread() -> None:
    """Many processes that lost one server do not come back all at once."""
    assert len({delays_seconds(5) for _ in range(20)}) > 10


async def test_action_is_repeated_until_the_outage_is_over() -> None:
    """The reason is told at each failure, and None once it is over."""
    told: list[str | None] = []
    tries: list[int] = []

    async def action() -> str:
        tries.append(len(tries))
        if len(tries) <= 2:
            raise TransientError(f"away {len(tries)}")
        return "done"

    assert await wait_out("test", action, on_outage=told.append) == "done"
    assert told == ["away 1", "away 2", None]
    assert len(tries) == 3


async def test_action_without_outage_tells_nothing() -> None:
    """Readiness belongs to whoever set it."""
    told: list[str | None] = []

    async def action() -> int:
        return 7

    assert await wait_out("test", action, on_outage=told.append) == 7
    assert told == []


@pytest.mark.parametrize("error", [FatalError("stop"), ValueError("a bug")])
async def test_whatever_is_no_outage_is_not_repeated(error: Exception) -> None:
    """Retrying a bug would hide it."""
    tries: list[int] = []

    async def action() -> None:
        tries.append(1)
        raise error

    with pytest.raises(type(error)):
        await wait_out("test", action, on_outage=lambda _: None)
    assert tries == [1]


async def test_outage_that_ends_with_another_error_is_over() -> None:
    """Or a service whose partition moved on meanwhile would never be ready again."""
    told: list[str | None] = []
    ends: list[Exception] = [FatalError("moved on"), TransientError("away")]

    async def action() -> None:
        raise ends.pop()

    with pytest.raises(FatalError):
        await wait_out("test", action, on_outage=told.append)
    assert told == ["away", None]
