"""Levels carried forward are what the days and statements say, whatever comes late.

Held against `reporting.leaf_total_on`, which knows days and statements only.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from services.aggregation.sql import NEXT, QUERIES
from services.aggregation.store.generation import GenerationStore
from tests.support.auditor import Auditor, check_carried, check_equation
from tests.support.ledger_store import AGENCIES, FedLedger, migrated_pool
from tests.support.load import Load
from tests.support.log_records import (
    NINE,
    TODAY,
    Sent,
    closed,
    counted,
    refunded,
    reversal,
    stated,
)
from tests.support.rebuilding import rebuild
from tests.support.stack import Stack, eventually

embedded = pytest.mark.embedded
pytestmark = pytest.mark.timeout(180)
MIGRATION = (
    Path(__file__).parents[2]
    / "services/aggregation/sql/migrations/20261122000001_carried_levels.sql"
)
WRONG_LEVELS = """
WITH summed AS (
    SELECT
        d.day, t.indicator, a.code AS locality, a.valid_from,
        sum(t.count) AS count, sum(t.amount) AS amount
    FROM reporting.covered_days AS f
    CROSS JOIN LATERAL (
        SELECT f.first_day + n AS day
        FROM generate_series(0, f.last_day - f.first_day) AS n
    ) AS d
    CROSS JOIN LATERAL reporting.leaf_total_on(d.day) AS t
    JOIN reporting.locality_above AS a
        ON a.leaf = t.locality AND a.leaf_valid_from = t.valid_from
    GROUP BY d.day, t.indicator, a.code, a.valid_from
)
SELECT day, indicator, locality, s.count AS summed, k.count AS shown
FROM summed AS s
FULL JOIN reporting.running_total_by_day AS k
    USING (day, indicator, locality, valid_from)
WHERE
    coalesce(s.count, 0) <> coalesce(k.count, 0)
    OR coalesce(s.amount, 0) <> coalesce(k.amount, 0)
"""
NATION = "SELECT count, amount FROM reporting.running_total WHERE kind = 'nation'"
LONG_AGO, LAST_WEEK = TODAY - timedelta(days=20), TODAY - timedelta(days=7)


@pytest.fixture
async def ledger(database: str, tmp_path: Path) -> AsyncIterator[FedLedger]:
    """Make an empty ledger with a tree."""
    async with migrated_pool(database, tmp_path) as pool:
        yield await FedLedger(pool).start()


async def check(ledger: FedLedger) -> None:
    """Hold what was carried, and every level of every day, against the days."""
    wrong = await ledger.pool.fetch("SELECT * FROM reporting.carried_difference")
    assert wrong == []
    assert await ledger.pool.fetch(WRONG_LEVELS) == []


async def nation(ledger: FedLedger) -> tuple[int, int]:
    """Return the nation's count and amount."""
    row = await ledger.pool.fetchrow(NATION)
    assert row is not None
    return int(row["count"]), int(row["amount"])


EVENT = counted("old", 10, 3, localday=LONG_AGO)
STATEMENT = stated("said", 500, LONG_AGO + timedelta(days=2))


async def carried_month(ledger: FedLedger, *more: Sent) -> None:
    """Count one a day for a month, and carry forward what has settled of it."""
    days = [TODAY - timedelta(days=age) for age in range(31)]
    await ledger.apply([counted(f"d{day}", localday=day) for day in days])
    await ledger.apply([EVENT, *more])
    assert await ledger.carry() > 2


@embedded
@pytest.mark.parametrize(
    ("before", "late", "level"),
    [
        ((), counted("late", 100, 7, localday=LONG_AGO), (141, 10)),
        ((), counted("late", 100, locality="16000", localday=LAST_WEEK), (141, 3)),
        ((), closed("late", 1000), (-959, 3)),
        ((), reversal("undo", EVENT), (31, 0)),
        ((), STATEMENT, (500 + 18, 3)),
        ((), stated("now", 500), (500, 3)),
        ((STATEMENT,), counted("late", 100, 7, localday=LONG_AGO), (518, 10)),
        ((STATEMENT,), counted("late", 100, 7, localday=LAST_WEEK), (618, 10)),
        ((STATEMENT,), reversal("undo", EVENT), (518, 0)),
        ((STATEMENT,), reversal("undo", STATEMENT), (41, 3)),
        ((STATEMENT,), stated("again", 600, LAST_WEEK), (607, 3)),
    ],
)
async def test_what_comes_late_reaches_what_was_carried(
    ledger: FedLedger, before: tuple[Sent, ...], late: Sent, level: tuple[int, int]
) -> None:
    """Events, reversals and statements about days carried forward long ago."""
    await carried_month(ledger, *before)
    await check(ledger)
    await ledger.apply([late])
    assert await nation(ledger) == level
    await check(ledger)


@embedded
async def test_statement_that_goes_takes_its_carried_level_along(
    ledger: FedLedger,
) -> None:
    """Also where the series has nothing else to carry."""
    alone = stated("alone", 900, LONG_AGO, locality="16000")
    await carried_month(ledger, alone)
    assert await nation(ledger) == (941, 3)
    await ledger.apply([reversal("undo", alone)])
    assert await nation(ledger) == (41, 3)
    await check(ledger)


def wild_batch(chance: random.Random, ledger: FedLedger, newest: date) -> list[Sent]:
    """Draw records about the six weeks before a day, with repeats and reversals."""
    batch: list[Sent] = []
    for number in range(chance.randrange(1, 30)):
        day = newest - timedelta(days=min(int(chance.expovariate(0.15)), 40))
        agency = chance.choice(AGENCIES)
        known = [sent for sent in [*ledger.log, *batch] if sent.agency == agency]
        changes = {
            "agency": agency,
            "source": f"/{agency}",
            "locality": chance.choice(("15961", "16000")),
            "indicator": chance.choice(("accounts", "sales")),
        }
        id_ = f"{len(ledger.log)}-{number}"
        draw = chance.random()
        if known and draw < 0.25:
            batch.append(reversal(id_, chance.choice(known)))
        elif known and draw < 0.3:
            batch.append(chance.choice(known))
        elif draw < 0.4:
            time = NINE + timedelta(seconds=chance.randrange(3))
            level = chance.randrange(1000)
            batch.append(stated(id_, level, day, time=time, **changes))
        elif draw < 0.5:
            batch.append(refunded(id_, 5))
        else:
            count = chance.randrange(-5, 9)
            sign = 1 if count > 0 else -1
            made = counted(id_, abs(count) or 1, 2, localday=day, sign=sign)
            batch.append(_changed(made, changes))
    return batch


def _changed(sent: Sent, changes: dict[str, str]) -> Sent:
    return counted(
        sent.id,
        sent.data.count,
        sent.data.amount,
        localday=sent.localday,
        sign=sent.sign,
        **changes,
    )


@embedded
@pytest.mark.parametrize("seed", range(4))
async def test_wild_streams_never_part_levels_from_days(
    ledger: FedLedger, seed: int
) -> None:
    """Days go by, some are carried, and anything comes late, in any order."""
    chance = random.Random(seed)  # noqa: S311 -- a seeded plan
    newest = TODAY - timedelta(days=60)
    for _ in range(20):
        newest = min(newest + timedelta(days=chance.randrange(6)), TODAY)
        await ledger.apply(wild_batch(chance, ledger, newest))
        if chance.random() < 0.6:
            await ledger.carry()
        await check(ledger)
    assert await ledger.carry() <= 12
    assert await ledger.pool.fetch("SELECT 1 FROM aggregation.carried_level LIMIT 1")


@embedded
async def test_day_is_not_carried_while_a_writer_is_at_work(ledger: FedLedger) -> None:
    """What it adds to the day after having looked would be missing for ever."""
    day = TODAY - timedelta(days=10)
    series = "SELECT min(series_id) FROM aggregation.series WHERE locality IS NOT NULL"
    await ledger.apply([counted("a", localday=day), counted("b")])
    async with (
        ledger.pool.acquire() as writer,
        asyncio.TaskGroup() as group,
        writer.transaction(),
    ):
        (row,) = await writer.fetch(QUERIES["lock_progress"], [0])
        assert row["carried"] is None
        number = await writer.fetchval(series)
        carrying = group.create_task(ledger.carry())

        async def is_waiting() -> bool:
            waits = await ledger.pool.fetch(
                "SELECT FROM pg_locks AS l JOIN pg_database AS d "
                "ON d.oid = l.database AND d.datname = current_database() "
                "WHERE NOT l.granted"
            )
            return bool(waits) or carrying.done()

        await eventually(is_waiting, what="the carry waits for the writer")
        await writer.fetch(QUERIES["add_to_totals"], [number], [day], [5], [0])
    await ledger.carry()
    assert await nation(ledger) == (7, 0)
    await check(ledger)


@embedded
async def test_replicas_carry_each_day_once(ledger: FedLedger) -> None:
    """Whoever comes second finds it carried."""
    days = [TODAY - timedelta(days=age) for age in range(31)]
    await ledger.apply([counted(f"d{day}", localday=day) for day in days])
    async with asyncio.TaskGroup() as group:
        replicas = [group.create_task(ledger.carry()) for _ in range(3)]
    assert 0 < sum(replica.result() for replica in replicas) <= 5
    await check(ledger)


@embedded
async def test_rebuild_carries_the_same_and_names_what_differs(
    ledger: FedLedger,
) -> None:
    """Applied again in other batches, carried at the end, compared and switched to."""
    chance = random.Random(7)  # noqa: S311 -- a seeded plan
    for age in range(40, -1, -4):
        await ledger.apply(wild_batch(chance, ledger, TODAY - timedelta(days=age)))
        await ledger.carry()
    async with GenerationStore(ledger.pool).hold() as held:
        await held.prepare(afresh=True)
        again = await FedLedger(ledger.pool, NEXT).start()
        await again.apply(ledger.log)
        assert await again.carry() > 2
        async with held.fence():
            assert (await held.compare()).differing == 0
        await ledger.pool.execute(
            "UPDATE aggregation.carried_level SET count = count + 1 "
            "WHERE (day, series_id) = (SELECT day, min(series_id) "
            "FROM aggregation.carried_level GROUP BY day ORDER BY day DESC LIMIT 1)"
        )
        assert await ledger.pool.fetch("SELECT 1 FROM reporting.carried_difference")
        async with held.fence():
            comparison = await held.compare()
            await held.switch()
    assert [each.what for each in comparison.examples] == ["carried_level"]
    await check(ledger)


@embedded
async def test_upgrade_carries_what_the_service_would(ledger: FedLedger) -> None:
    """The migration's own block, on a ledger that has a past."""
    chance = random.Random(3)  # noqa: S311 -- a seeded plan
    for age in range(40, -1, -4):
        await ledger.apply(wild_batch(chance, ledger, TODAY - timedelta(days=age)))
    await ledger.carry()
    days = "SELECT day FROM aggregation.carry ORDER BY day"
    carried = await ledger.pool.fetch(days)
    for table in ("carry", "carried_level"):
        await ledger.pool.execute(f"DELETE FROM aggregation.{table}")  # noqa: S608 -- two fixed names
    block = MIGRATION.read_text(encoding="utf-8").partition("DO $$")[2]
    await ledger.pool.execute("DO $$" + block.partition("$$;")[0] + "$$")
    assert await ledger.pool.fetch(days) == carried
    await check(ledger)


@embedded
async def test_empty_ledger_has_no_levels(ledger: FedLedger) -> None:
    """Nothing to carry, nothing to show."""
    assert await ledger.carry() == 0
    for levels in ("running_total", "running_total_on('infinity')"):
        rows = await ledger.pool.fetch(f"SELECT * FROM reporting.{levels}")  # noqa: S608 -- two fixed names
        assert rows == []


async def test_service_carries_under_load_and_through_a_rebuild(stack: Stack) -> None:
    """Two agencies report days carried long ago; every read and a recount agree."""
    stack.overrides["UPTAKE_CARRY_INTERVAL_SECONDS"] = "0.1"
    await stack.start("ingest", "aggregation")
    auditor, over = Auditor(), asyncio.Event()

    async def send_all_the_time(agency: str) -> None:
        seed = 0
        while not over.is_set():
            seed += 1
            load = Load(stack, auditor, agency, 3, 200, seed, pause_seconds=0.1)
            load.days_back_max = 30
            await load.run()

    async def read_all_the_time() -> None:
        while not over.is_set():
            await check_equation(stack)
            await check_carried(stack)

    async def is_carried() -> bool:
        days = await stack.fetch("SELECT 1 FROM aggregation.carry")
        return len(days) > 3

    async with asyncio.TaskGroup() as group:
        for agency in ("bank", "census"):
            group.create_task(send_all_the_time(agency))
        group.create_task(read_all_the_time())
        await eventually(is_carried, what="a month is carried forward")
        process = await rebuild(stack)
        assert process.lines("rebuild_switched")[0]["differing"] == 0
        over.set()
    await stack.wait_applied(auditor.copies_sent)
    await auditor.check(stack)
    assert await is_carried()
