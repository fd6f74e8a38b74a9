"""From the door's 202 to the total: how long an event is on its way."""

import asyncio
import statistics
import time

import asyncpg

from tests.support.events import opened
from tests.support.stack import Stack

REQUEST_EVENTS = 40
POLL_SECONDS = 0.005


async def visible_seconds(
    stack: Stack, applied_before: int, rate: int, seconds: int
) -> tuple[float, float]:
    """Send at a steady rate and watch the progress rows.

    Args:
        stack: Its log already holds `applied_before` records.
        applied_before: Records that aggregation applies first.
        rate: Events a second.
        seconds: For how long.

    Returns:
        Median and 99th percentile, in seconds, from 202 to the commit that counts.
    """
    await stack.start("ingest", "aggregation")
    await stack.wait_applied(applied_before, seconds=600)
    acknowledged: list[tuple[int, float]] = []
    seen: list[tuple[int, float]] = []
    async with asyncio.TaskGroup() as group:
        watcher = group.create_task(_watch(stack.dsn, seen))
        await _send(stack, applied_before, rate, seconds, acknowledged)
        await stack.wait_applied(acknowledged[-1][0])
        await asyncio.sleep(10 * POLL_SECONDS)
        watcher.cancel()
    await stack.stop()
    waits = []
    place = 0
    for count, at in acknowledged:
        while seen[place][0] < count:
            place += 1
        waits.append(max(seen[place][1] - at, 0.0))
    cuts = statistics.quantiles(waits, n=100)
    return statistics.median(waits), cuts[98]


async def _send(
    stack: Stack,
    before: int,
    rate: int,
    seconds: int,
    acknowledged: list[tuple[int, float]],
) -> None:
    began = time.monotonic()
    for number in range(rate * seconds // REQUEST_EVENTS):
        due = began + number * REQUEST_EVENTS / rate
        await asyncio.sleep(max(due - time.monotonic(), 0))
        answer = await stack.post([opened(1) for _ in range(REQUEST_EVENTS)])
        assert answer.status == 202
        count = before + (number + 1) * REQUEST_EVENTS
        acknowledged.append((count, time.monotonic()))


async def _watch(dsn: str, seen: list[tuple[int, float]]) -> None:
    connection = await asyncpg.connect(dsn)
    while True:
        applied = await connection.fetchval(
            "SELECT coalesce(sum(applied), 0) FROM reporting.progress"
        )
        seen.append((int(applied), time.monotonic()))
        await asyncio.sleep(POLL_SECONDS)
