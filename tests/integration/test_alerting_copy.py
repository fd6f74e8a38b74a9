"""Which of two values of a total stays in alerting's copy, whoever reads them when."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from services.alerting.consumer.reader import TotalsReader
from services.alerting.store import TotalsStore
from shared.events.totals_v1 import LastReportV1
from shared.postgres.pool import open_pool
from tests.support.events import now
from tests.support.stack import PARTITIONS, Stack
from tests.support.totals import Total, day_total, stated

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]


@dataclass(frozen=True, slots=True)
class Record:
    """A record of `uptake.totals`, as far as alerting uses it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


def record(offset: int, total: Total, *, partition: int = 0) -> Record:
    """Put a total at an offset."""
    value = total.model_dump_json().encode()
    return Record(partition, offset, total.key(), value)


@pytest.fixture
async def store(stack: Stack) -> AsyncIterator[TotalsStore]:
    """Open alerting's copy, as alerting does."""
    pool = await open_pool(stack.postgres_settings, role="uptake_alerting", size_max=3)
    yield TotalsStore(pool)
    await pool.close()


async def replica(store: TotalsStore) -> TotalsReader:
    """Start one reader where the copy ends."""
    reader = TotalsReader(store, on_outage=lambda _: None, on_change=lambda: None)
    reader.begin(await store.positions(PARTITIONS))
    return reader


async def copied(stack: Stack) -> tuple[list[int], list[int], int]:
    """Return daily totals, statements, and the level that was made of both."""
    days = await stack.fetch("SELECT count FROM alerting.daily_total ORDER BY day")
    levels = await stack.fetch("SELECT level FROM alerting.stated ORDER BY day")
    series = await stack.fetch("SELECT level FROM alerting.series")
    return (
        [int(row["count"]) for row in days],
        [int(row["level"]) for row in levels],
        int(series[0]["level"]),
    )


async def counts(stack: Stack) -> list[tuple[str, int]]:
    """Return agencies and counts of the daily totals, by count."""
    rows = await stack.fetch(
        "SELECT agency, count FROM alerting.daily_total ORDER BY count"
    )
    return [(row["agency"], int(row["count"])) for row in rows]


async def test_value_mended_at_its_revision_is_taken(
    stack: Stack, store: TotalsStore
) -> None:
    """Of a day, a statement and a report; sums follow. The same again changes none."""
    reader = await replica(store)
    early = now() - timedelta(hours=2)
    report = LastReportV1(
        agency="bank",
        indicator="cashless_accounts",
        at=early,
        partition=0,
        revision=7,
    )
    wrong: list[Total] = [
        day_total(8, revision=7),
        stated(90, days_ago=9, revision=7),
        report,
    ]
    await reader.take([record(at, total) for at, total in enumerate(wrong)])
    assert await copied(stack) == ([8], [90], 98)
    mended: list[Total] = [
        day_total(7, revision=7),
        stated(100, days_ago=9, revision=7),
        report.model_copy(update={"at": early + timedelta(hours=1)}),
    ]
    for start in (3, 6):
        records = [record(start + at, total) for at, total in enumerate(mended)]
        await reader.take(records)
        assert await copied(stack) == ([7], [100], 107)
    rows = await stack.fetch("SELECT reported_at FROM alerting.last_report")
    assert rows[0]["reported_at"] == early + timedelta(hours=1)


async def test_older_revision_is_never_taken(stack: Stack, store: TotalsStore) -> None:
    """However late it comes, whatever it says."""
    reader = await replica(store)
    newest: list[Total] = [day_total(7, revision=7), stated(90, days_ago=9, revision=7)]
    await reader.take([record(at, total) for at, total in enumerate(newest)])
    older: list[Total] = [day_total(5, revision=6), stated(80, days_ago=9, revision=6)]
    await reader.take([record(2 + at, total) for at, total in enumerate(older)])
    assert await copied(stack) == ([7], [90], 97)


@pytest.mark.parametrize("batches", [1, 2, 4])
async def test_later_of_equal_revisions_stays_however_they_are_cut(
    stack: Stack, store: TotalsStore, batches: int
) -> None:
    """In one batch or in several, the last of the highest revision is what stays."""
    reader = await replica(store)
    records = [
        record(0, day_total(8, revision=7)),
        record(1, day_total(7, revision=7)),
        record(2, day_total(9, revision=6)),
        record(3, stated(90, days_ago=9, revision=7)),
        record(4, stated(100, days_ago=9, revision=7)),
        record(5, stated(None, days_ago=9, revision=6)),
    ]
    size = -(-len(records) // batches)
    for start in range(0, len(records), size):
        await reader.take(records[start : start + size])
    assert await copied(stack) == ([7], [100], 107)


async def test_slower_replica_does_not_turn_a_mended_total_back(
    stack: Stack, store: TotalsStore
) -> None:
    """It has read what another one has copied, and something new beside it.

    The wrong value has the revision of the mended one, so only its offset tells.
    """
    fast, slow = await replica(store), await replica(store)
    wrong, mended = day_total(8, revision=7), day_total(7, revision=7)
    other = day_total(30, revision=2, agency="shop")
    await fast.take([record(0, wrong), record(1, mended), record(2, wrong)])
    await fast.take([record(3, mended), record(4, mended)])
    # Behind the copy in one partition, ahead of it in another.
    await slow.take([record(0, wrong), record(0, other, partition=1)])
    assert await counts(stack) == [("bank", 7), ("shop", 30)]
    # Behind it, and nothing else.
    await slow.take([record(2, wrong)])
    assert await counts(stack) == [("bank", 7), ("shop", 30)]
    # Partly behind, partly ahead.
    last = day_total(20, days_ago=2, revision=8)
    await slow.take([record(3, wrong), record(4, wrong), record(5, last)])
    assert await counts(stack) == [("bank", 7), ("bank", 20), ("shop", 30)]
    assert slow.standing == {0: 6, 1: 1, 2: 0, 3: 0}
    # And the fast one, which has read none of that yet, loses and doubles nothing.
    await fast.take([record(5, last), record(0, other, partition=1)])
    rows = await stack.fetch("SELECT sum(level) AS level FROM alerting.series")
    assert rows[0]["level"] == 57
    assert (await store.positions(PARTITIONS))[0].next_offset == 6


async def test_replica_stands_where_it_has_read_itself(store: TotalsStore) -> None:
    """Kafka's last answer to it may be older than what another one has copied.

    Standing beyond it would look as if the topic had been made anew.
    """
    fast, slow = await replica(store), await replica(store)
    records = [record(at, day_total(at, revision=at)) for at in range(5)]
    await fast.take(records)
    await slow.take(records[:2])
    assert slow.standing[0] == 2
