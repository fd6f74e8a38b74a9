"""What looks write and leave alone in Postgres, and how often a target is looked at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from services.alerting.core.copied import (
    CaughtUp,
    DayTotal,
    Stretch,
    TotalsBatch,
    Watermark,
)
from services.alerting.sql import QUERIES
from services.alerting.store import DefinitionStore, EvaluationStore, TotalsStore
from services.cli.migrate import _run_dbmate, dbmate_url
from services.cli.shipped import shipped_catalogue
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Behind, LocalityKey, Target
from shared.postgres.pool import open_pool
from shared.settings import PostgresSettings
from tests.support.events import HOANG_LOC, now
from tests.support.stack import eventually
from tests.support.totals import SINCE, local_today

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

INTERVAL: Final = timedelta(minutes=5)
TARGETS: Final = 30
DAY: Final = timedelta(days=1)
VIETNAM: Final = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Open a database that has alerting's tables and targets that lag."""
    await _run_dbmate("alerting", dbmate_url(database))
    settings = PostgresSettings.model_validate({"postgres_dsn": database})
    opened = await open_pool(settings, role="uptake_alerting", size_max=4)
    today = local_today()
    targets = [
        Target(
            id=f"test-{number}",
            indicator="cashless_accounts",
            locality=LocalityKey("38", SINCE),
            start_date=today - timedelta(days=50),
            start_value=0,
            due=today + timedelta(days=50),
            goal_value=1_000,
            # Long enough not to fire by itself within the test.
            behind=Behind(for_seconds=86_400, keep_seconds=86_400),
            illustrative=True,
        )
        for number in range(TARGETS)
    ]
    catalogue = replace(
        load_catalogue(shipped_catalogue()), targets={each.id: each for each in targets}
    )
    await DefinitionStore(opened).take_over(catalogue)
    await TotalsStore(opened).positions(2)
    await copy_total(opened, 100, offset=0)
    await TotalsStore(opened).note_caught_up(
        {0: CaughtUp(1, timedelta()), 1: CaughtUp(0, timedelta())}
    )
    yield opened
    await opened.close()


async def copy_total(pool: asyncpg.Pool, count: int, *, offset: int) -> None:
    """Copy one total that all targets are about, and a fresh watermark."""
    day = local_today() - timedelta(days=20)
    total = DayTotal(
        "cashless_accounts", "bank", HOANG_LOC, SINCE, day, count, 0, 0, offset + 1
    )
    await TotalsStore(pool).apply(
        TotalsBatch(
            {0: Stretch(offset, offset + 1, b"0" * 32)},
            days=[total],
            watermarks=[Watermark(0, now(), offset + 1)],
        )
    )


async def look_at_all(pool: asyncpg.Pool) -> None:
    """Have all targets due, and look at each once, as a process just started would."""
    await pool.execute("UPDATE alerting.target SET next_evaluation_at = now()")
    assert await EvaluationStore(pool, INTERVAL).evaluate_due(2 * TARGETS) == TARGETS


async def rows_of(pool: asyncpg.Pool) -> list[dict[str, Any]]:
    """Read the alerts' rows, with what tells whether they were written again."""
    rows = await pool.fetch(
        "SELECT *, xmin::text AS written_by FROM alerting.alert ORDER BY fingerprint"
    )
    return [dict(row) for row in rows]


async def test_looks_that_find_nothing_new_leave_alerts_as_they_are(
    pool: asyncpg.Pool,
) -> None:
    """And what those had waited is not lost, by whomever it is looked up."""
    await look_at_all(pool)
    first = await rows_of(pool)
    assert [row["state"] for row in first] == ["pending"] * TARGETS
    for _ in range(3):
        await look_at_all(pool)
    assert await rows_of(pool) == first
    shown = await pool.fetch("SELECT DISTINCT evaluated_at FROM reporting.alert")
    looked = await pool.fetch("SELECT DISTINCT evaluated_at FROM alerting.target")
    assert shown == looked
    # At the last look a millisecond of the day was left to wait.
    await pool.execute(
        "UPDATE alerting.alert SET seen_at = t.evaluated_at - interval '86399.999 s' "
        "FROM alerting.target AS t WHERE t.target = alert.target"
    )
    # That millisecond has to pass by the database's clock.
    await pool.fetchval("SELECT pg_sleep(0.002)")
    await look_at_all(pool)
    assert [row["state"] for row in await rows_of(pool)] == ["firing"] * TARGETS
    assert await pool.fetchval("SELECT count(*) FROM alerting.outbox") == 2 * TARGETS


async def test_alerts_that_move_wake_whoever_tells_of_them(
    pool: asyncpg.Pool,
) -> None:
    """And nobody is woken for those that only go on."""
    moved = asyncio.Event()
    store = EvaluationStore(pool, INTERVAL, moved=moved)
    assert await store.evaluate_due(TARGETS) == TARGETS
    assert moved.is_set()
    moved.clear()
    await pool.execute("UPDATE alerting.target SET next_evaluation_at = now()")
    assert await store.evaluate_due(TARGETS) == TARGETS
    assert not moved.is_set()


async def test_moving_figures_are_shown_at_once_and_said_later(
    pool: asyncpg.Pool,
) -> None:
    """An alert is put into words again once its words are half a minute old."""
    await look_at_all(pool)
    first = await rows_of(pool)
    await copy_total(pool, 120, offset=1)
    await look_at_all(pool)
    assert await rows_of(pool) == first
    actual = await pool.fetchval("SELECT DISTINCT actual FROM reporting.target_status")
    assert actual == 120
    await pool.execute(
        "UPDATE alerting.alert SET evaluated_at = evaluated_at - interval '30 s'"
    )
    await look_at_all(pool)
    assert all("120" in row["summary_en"] for row in await rows_of(pool))
    assert await pool.fetchval("SELECT count(*) FROM alerting.outbox") == TARGETS


async def test_target_is_missed_once_all_of_its_due_day_is_copied(
    pool: asyncpg.Pool,
) -> None:
    """Not by figures of the evening before, however new they looked then."""
    midnight = datetime.combine(local_today(), time(), VIETNAM)

    async def found_when_complete_until(
        instant: datetime,
    ) -> set[tuple[str, str | None]]:
        await pool.execute("UPDATE alerting.watermark SET applied_until = $1", instant)
        await look_at_all(pool)
        rows = await pool.fetch("SELECT status, reason FROM alerting.target")
        return {(row["status"], row["reason"]) for row in rows}

    await pool.execute("UPDATE alerting.target SET due = $1", midnight.date() - DAY)
    evening = midnight - timedelta(seconds=1)
    assert await found_when_complete_until(evening) == {("unknown", "platform")}
    assert await found_when_complete_until(midnight) == {("missed", None)}


async def test_flood_of_totals_is_one_look_a_second(pool: asyncpg.Pool) -> None:
    """However many batches come, the next look is a second after the last."""
    await look_at_all(pool)
    for offset in range(1, 31):
        await copy_total(pool, 100 + offset, offset=offset)
    rows = await pool.fetch(
        "SELECT DISTINCT next_evaluation_at - evaluated_at AS pause "
        "FROM alerting.target"
    )
    pauses = [row["pause"] for row in rows]
    assert timedelta(seconds=1) <= min(pauses)
    assert max(pauses) < INTERVAL


@asynccontextmanager
async def copying_during_a_look(
    pool: asyncpg.Pool,
    database: str,
    count: int,
    *,
    offset: int,
    looked_at: int = TARGETS,
) -> AsyncIterator[None]:
    """Copy a total after a look has read the copy; the look ends with the block."""
    gate = await asyncpg.connect(database)
    shut = gate.transaction()
    await shut.start()
    # Looks read forecasts after totals, and nobody else here reads them.
    await gate.execute("LOCK TABLE alerting.forecast IN ACCESS EXCLUSIVE MODE")

    async def waiting() -> int:
        asked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        found: int = await gate.fetchval(asked)
        return found

    async def is_read() -> bool:
        return await waiting() == 1

    async def is_copied_or_waits() -> bool:
        return copied.done() or await waiting() == 2

    try:
        async with asyncio.TaskGroup() as tasks:
            store = EvaluationStore(pool, INTERVAL)
            look = tasks.create_task(store.evaluate_due(looked_at))
            await eventually(is_read, what="the look has read")
            copied = tasks.create_task(copy_total(pool, count, offset=offset))
            await eventually(is_copied_or_waits, what="the copy is as far as it comes")
            yield
            await shut.rollback()
        assert look.result() == looked_at
    finally:
        await gate.close()


async def test_total_that_comes_during_a_look_is_seen_by_the_next(
    pool: asyncpg.Pool, database: str
) -> None:
    """Not by the clock's, minutes later; not never, where that look found all calm."""
    store = EvaluationStore(pool, INTERVAL)
    shown = "SELECT array_agg(DISTINCT actual) FROM reporting.target_status"
    for offset, count in ((1, 120), (2, 140)):
        async with copying_during_a_look(pool, database, count, offset=offset):
            pass
        assert await pool.fetchval(shown) == [count - 20], "the look was over before"

        async def is_seen(count: int = count) -> bool:
            await store.look_at_calm(TARGETS)
            await store.evaluate_due(TARGETS)
            return bool(await pool.fetchval(shown) == [count])

        await eventually(is_seen, seconds=10, what=f"{count} is seen")
        await settle(pool)
        # The next one is again a look in full, though it will find nothing new.
        await pool.execute(
            "UPDATE alerting.target "
            "SET next_evaluation_at = now(), calm_until = '-infinity'"
        )


async def test_copy_waits_for_looks_under_way_and_for_no_later_ones(
    pool: asyncpg.Pool, database: str
) -> None:
    """With thousands due they go on for seconds, one after another."""
    await look_at_all(pool)
    await pool.execute(
        "UPDATE alerting.target SET next_evaluation_at = now() - "
        "CASE WHEN target = 'test-0' THEN interval '1 s' ELSE interval '0' END"
    )
    async with copying_during_a_look(pool, database, 120, offset=1, looked_at=1):
        assert await pool.fetch(QUERIES["lock_due_targets"], TARGETS) == []


async def test_replicas_that_look_at_once_tell_each_transition_once(
    pool: asyncpg.Pool,
) -> None:
    """Small looks of several processes, while totals come."""
    stores = [EvaluationStore(pool, INTERVAL) for _ in range(3)]

    async def drain(store: EvaluationStore) -> int:
        count = 0
        while found := await store.evaluate_due(4):
            count += found
        return count

    async with asyncio.TaskGroup() as tasks:
        drained = [tasks.create_task(drain(store)) for store in stores]
    assert sum(task.result() for task in drained) == TARGETS
    rows = await pool.fetch(
        "SELECT fingerprint, count(*) FROM alerting.outbox GROUP BY 1"
    )
    assert [row["count"] for row in rows] == [1] * TARGETS


async def settle(pool: asyncpg.Pool) -> None:
    """Look at all targets until nothing is new, as after a change."""
    await pool.execute("UPDATE alerting.watermark SET applied_until = now()")
    await pool.execute("UPDATE alerting.position SET caught_up_at = now()")
    await look_at_all(pool)
    await pool.execute(
        "UPDATE alerting.alert SET evaluated_at = evaluated_at - interval '30 s'"
    )
    await look_at_all(pool)
    await look_at_all(pool)


async def look_calmly(pool: asyncpg.Pool) -> int:
    """Have all targets due, and look at those that nothing has happened to."""
    await pool.execute(
        "UPDATE alerting.target SET next_evaluation_at = now() "
        "WHERE isfinite(next_evaluation_at)"
    )
    return await EvaluationStore(pool, INTERVAL).look_at_calm(2 * TARGETS)


async def test_calm_look_writes_when_it_was_and_nothing_else(
    pool: asyncpg.Pool,
) -> None:
    """Nothing is calm that was looked at once only: it might go on moving."""
    await look_at_all(pool)
    assert await look_calmly(pool) == 0
    await look_at_all(pool)
    written = (
        "SELECT to_jsonb(t) - $1::text[] AS row FROM alerting.target AS t ORDER BY 1"
    )
    moving = ["evaluated_at", "next_evaluation_at"]
    before, alerts = await pool.fetch(written, moving), await rows_of(pool)
    assert await look_calmly(pool) == TARGETS
    assert await pool.fetch(written, moving) == before
    assert await rows_of(pool) == alerts
    pauses = await pool.fetch(
        "SELECT DISTINCT next_evaluation_at - evaluated_at AS pause "
        "FROM alerting.target"
    )
    assert [row["pause"] for row in pauses] == [INTERVAL]
    assert await EvaluationStore(pool, INTERVAL).look_at_calm(TARGETS) == 0


STIRRED: Final = {
    "a forecast is made": "UPDATE alerting.forecast AS f "
    "SET day = current_date - 1, made_at = now() - interval '1 hour', "
    "reason = 'short_history', unit_id = t.unit_id, goal = t.goal, due = t.due "
    "FROM alerting.target AS t WHERE t.target = f.target",
    "a watermark is old": "UPDATE alerting.watermark "
    "SET applied_until = now() - interval '301 s'",
    "the copy is old": "UPDATE alerting.position "
    "SET caught_up_at = now() - interval '301 s'",
    "the copy fills anew": "UPDATE alerting.position "
    "SET caught_up_at = NULL WHERE partition = 1",
    "a partition without a watermark": "INSERT INTO alerting.unit_partition "
    "SELECT unit_id, 7 FROM alerting.unit",
    "nobody has looked for long": "UPDATE alerting.target "
    "SET evaluated_at = now() - interval '301 s'",
    "its instant has come": "UPDATE alerting.target SET calm_until = now()",
}
CALMED: Final = {
    "a forecast is made": "DELETE FROM alerting.forecast",
    "a partition without a watermark": "DELETE FROM alerting.unit_partition "
    "WHERE partition = 7",
}


async def test_nothing_is_calm_once_anything_has_happened(pool: asyncpg.Pool) -> None:
    """Not even what a look in full may then find to be as it was."""
    for name, change in STIRRED.items():
        await pool.execute(
            "INSERT INTO alerting.forecast (target) SELECT target FROM "
            "alerting.target ON CONFLICT DO NOTHING"
        )
        await settle(pool)
        assert await look_calmly(pool) == TARGETS, name
        await pool.execute(change)
        assert await look_calmly(pool) == 0, name
        await pool.execute(CALMED.get(name, "SELECT"))


async def test_nothing_is_calm_whose_total_or_definition_is_new(
    pool: asyncpg.Pool,
) -> None:
    """Also where the total's mark comes while a look is due anyhow."""
    await settle(pool)
    await pool.execute("UPDATE alerting.target SET next_evaluation_at = now()")
    await copy_total(pool, 120, offset=1)
    assert await EvaluationStore(pool, INTERVAL).look_at_calm(TARGETS) == 0
    await settle(pool)
    catalogue = load_catalogue(shipped_catalogue())
    assert await look_calmly(pool) == TARGETS
    await DefinitionStore(pool).take_over(replace(catalogue, targets={}))
    assert await look_calmly(pool) == 0
