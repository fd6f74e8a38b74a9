"""Old rows of the ledger go, in a real database, and nothing else changes."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.aggregation.core.record import LogRecord
from services.aggregation.sql import NEXT, QUERIES
from services.aggregation.store.generation import GenerationStore
from services.aggregation.store.keys import ledger_key
from services.aggregation.store.republish import PARTS, RepublishStore
from services.aggregation.store.retention import BEGINNING
from shared.errors import TransientError
from shared.postgres.queries import load_queries
from tests.support.forgetting import (
    KEPT_FOR,
    STEPS,
    TICK,
    Ledger,
    LongLog,
    migrated_pool,
)
from tests.support.ledger_model import LedgerModel
from tests.support.log_records import NINE, TODAY, counted, reversal, stated
from tests.support.stack import eventually

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

DAILY = (
    "SELECT indicator, agency, locality, valid_from, day, count, amount FROM {} "
    "ORDER BY 1, 2, 3, 4, 5"
)
LEVELS = (
    "SELECT indicator, agency, locality, valid_from, count, amount FROM {} "
    "WHERE count <> 0 OR amount <> 0 ORDER BY 1, 2, 3, 4"
)
RECONCILE = load_queries("services.cli.sql", "reconcile.sql")
EQUATION = (
    "SELECT p.partition, p.counted, p.reversed, "
    "coalesce(l.counted, 0) + coalesce(d.counted, 0) AS rows_counted, "
    "coalesce(l.reversed, 0) + coalesce(d.reversed, 0) AS rows_reversed "
    "FROM aggregation.progress AS p "
    "LEFT JOIN aggregation.ledger_dropped AS d USING (partition) "
    "LEFT JOIN (SELECT partition, count(*) FILTER (WHERE kind <> 'r') AS counted, "
    "count(*) FILTER (WHERE kind = 'r') AS reversed "
    "FROM aggregation.ledger GROUP BY partition) AS l USING (partition)"
)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    """Make the service's tables; connect as the service does."""
    made = await migrated_pool(database)
    yield made
    made.terminate()


async def rows_of(
    pool: asyncpg.Pool | asyncpg.Connection, query: str, *parameters: object
) -> list[Any]:
    """Return rows as tuples."""
    return [tuple(row) for row in await pool.fetch(query, *parameters)]


def batches(log: LongLog, seed: int) -> list[list[LogRecord]]:
    """Cut a log anywhere."""
    chance, made, rest = random.Random(seed), [], log.records  # noqa: S311 -- seeded
    while rest:
        size = chance.randrange(1, 60)
        made.append(rest[:size])
        rest = rest[size:]
    return made


async def check_against(model: LedgerModel, pool: asyncpg.Pool) -> None:
    """Hold every table against the model."""
    places = {(row.partition, row.log_offset) for row in model.every_row()}
    found = await rows_of(pool, "SELECT partition, log_offset FROM aggregation.ledger")
    assert set(found) == places
    assert len(found) == len(places)
    keys = {
        (row.partition, row.log_offset): ledger_key(row.source, row.id)
        for row in model.rows.values()
    }
    for partition, offset, key, voided_by in await rows_of(
        pool, "SELECT partition, log_offset, key, voided_by FROM aggregation.ledger"
    ):
        assert keys.get((partition, offset), key) == key
        (row,) = (
            row
            for row in model.every_row()
            if (row.partition, row.log_offset) == (partition, offset)
        )
        assert voided_by == row.voided_by
    assert len(await rows_of(pool, "SELECT key FROM aggregation.reversal")) == sum(
        row.kind == b"r" for row in model.every_row()
    )
    totals = await rows_of(pool, DAILY.format("reporting.daily_total"))
    assert totals == sorted((*key, *sums) for key, sums in model.totals.items())
    standing = await rows_of(
        pool,
        "SELECT source, id, occurred_at FROM aggregation.statement UNION ALL "
        "SELECT source, id, occurred_at FROM aggregation.control",
    )
    assert set(standing) == {(*key, at) for key, at in model.standing}
    for _, counted_, reversed_, rows_counted, rows_reversed in await rows_of(
        pool, EQUATION
    ):
        assert (rows_counted, rows_reversed) == (counted_, reversed_)
    assert await rows_of(pool, "SELECT * FROM reporting.carried_difference") == []
    assert await rows_of(pool, RECONCILE["find_repeated"], 1) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_database_forgets_as_the_model_does(
    pool: asyncpg.Pool, seed: int
) -> None:
    """Ids borne again, statements and reversals of any age, clocks that step back."""
    log = LongLog(seed, partitions=12, length=60)
    ledger, model = Ledger(pool), LedgerModel(kept_for=KEPT_FOR)
    await ledger.start(12)
    dropped, retired = 0, 0
    for number, batch in enumerate(batches(log, seed)):
        model.apply(batch)
        await ledger.apply(batch)
        if number % 3 == 0:
            gone = await ledger.drop()
            await ledger.carry()
            assert gone == model.drop_old_rows()
            dropped += gone
            await check_against(model, pool)
        retired += len(model.retired)
    assert dropped > 50
    assert retired > 5
    await check_against(model, pool)


async def test_what_was_known_is_told_as_far_back_as_the_ledger_goes(
    pool: asyncpg.Pool,
) -> None:
    """Every state since then comes out again; an earlier instant is refused."""
    log = LongLog(5, partitions=1, length=400, steps=STEPS[:4])
    ledger = Ledger(pool)
    await ledger.start(1)
    kept = "SELECT kept_since FROM reporting.ledger_kept"
    states: list[tuple[Any, ...]] = []
    told = refused = 0
    for record, after in zip(log.records, [*log.records[1:], None], strict=True):
        await ledger.apply([record])
        if after is None or after.logged_at > record.logged_at:
            daily = await rows_of(pool, DAILY.format("reporting.daily_total"))
            levels = "reporting.leaf_total_on('infinity')"
            found = await rows_of(pool, LEVELS.format(levels))
            states.append((record.logged_at, daily, found))
        if record.offset % 40 == 39:
            await ledger.drop()
    assert await ledger.drop() == 0
    since = await pool.fetchval(kept)
    assert since is not None
    for at, daily, levels in states:
        known = DAILY.format("reporting.daily_total_known_at($1)")
        if at < since:
            refused += 1
            with pytest.raises(asyncpg.InvalidParameterValueError, match="kept since"):
                await pool.fetch(known, at)
            continue
        told += 1
        assert await rows_of(pool, known, at) == daily
        known = LEVELS.format("reporting.leaf_total_known_at('infinity', $1)")
        assert await rows_of(pool, known, at) == levels
    assert told > 5
    assert refused > 5


async def test_nothing_is_refused_while_nothing_has_been_dropped(
    pool: asyncpg.Pool,
) -> None:
    """A young ledger can tell that nothing was known before it began."""
    ledger = Ledger(pool)
    await ledger.start(1)
    event = counted("a")
    key = ledger_key(event.source, event.id)
    await ledger.apply([LogRecord(0, 0, NINE, event, key)])
    assert await ledger.drop() == 0
    assert await rows_of(pool, "SELECT kept_since FROM reporting.ledger_kept") == []
    known = DAILY.format("reporting.daily_total_known_at($1)")
    assert await rows_of(pool, known, NINE - 100 * KEPT_FOR) == []


@pytest.mark.parametrize("seed", [7, 17, 27])
async def test_rows_go_while_batches_are_applied(pool: asyncpg.Pool, seed: int) -> None:
    """Three droppers and a writer at once; the model had neither."""
    log = LongLog(seed, partitions=8, length=200)
    ledger, model = Ledger(pool), LedgerModel(kept_for=KEPT_FOR)
    await ledger.start(8)
    done = asyncio.Event()

    async def drop_all_the_time() -> int:
        dropped = 0
        while not done.is_set():
            dropped += await ledger.drop(rows_max=20)
        return dropped

    async with asyncio.TaskGroup() as group:
        droppers = [group.create_task(drop_all_the_time()) for _ in range(3)]
        for batch in batches(log, seed):
            model.apply(batch)
            await ledger.apply(batch)
        done.set()
    assert sum(dropper.result() for dropper in droppers) > 50
    await ledger.drop()
    model.drop_old_rows()
    await check_against(model, pool)


async def test_one_process_drops_at_a_time(pool: asyncpg.Pool) -> None:
    """The other one comes back in the next round, and waits for nothing."""
    log = LongLog(8, partitions=2, length=100)
    ledger = Ledger(pool)
    await ledger.start(2)
    await ledger.apply(log.records)
    async with pool.acquire() as other, other.transaction():
        assert await other.fetchval(QUERIES["hold_retention"])
        assert await ledger.drop() == 0
    assert await ledger.drop() > 0


async def test_step_that_is_killed_drops_nothing(
    pool: asyncpg.Pool, database: str
) -> None:
    """Cut by the server in the middle, or cancelled by a stop: all of it or nothing."""
    log = LongLog(9, partitions=2, length=200)
    ledger, model = Ledger(pool), LedgerModel(kept_for=KEPT_FOR)
    await ledger.start(2)
    model.apply(log.records)
    await ledger.apply(log.records)
    blocker = await asyncpg.connect(database)

    async def is_cut_short() -> bool:
        try:
            await ledger.retention.drop_step(BEGINNING)
        except (TransientError, asyncio.CancelledError):
            return True
        return False

    waiting: list[tuple[int]] = []

    async def is_waiting() -> bool:
        waiting[:] = await rows_of(
            blocker,
            "SELECT pid FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()",
        )
        return bool(waiting)

    try:
        for is_terminated in (True, False):
            before = await rows_of(pool, EQUATION)
            async with blocker.transaction(), asyncio.TaskGroup() as group:
                # The step can delete its rows, and then not say how many.
                await blocker.execute("LOCK TABLE aggregation.ledger_dropped")
                step = group.create_task(is_cut_short())
                await eventually(is_waiting, what="the step waits")
                if is_terminated:
                    await blocker.fetchval(
                        "SELECT pg_terminate_backend($1)", *waiting[0]
                    )
                else:
                    step.cancel()
                assert await step
            assert await rows_of(pool, EQUATION) == before
        assert await ledger.drop() == model.drop_old_rows() > 0
        await check_against(model, pool)
    finally:
        await blocker.close()


@pytest.mark.parametrize("drops", [False, True])
async def test_rebuilt_generation_is_equal_after_rows_went(
    pool: asyncpg.Pool,
    drops: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    """Whether the next generation forgets on the way or not, byte for byte."""
    log = LongLog(11, partitions=6, length=120)
    serving = Ledger(pool)
    await serving.start(6)
    for batch in batches(log, 1):
        await serving.apply(batch)
        await serving.drop()
    async with GenerationStore(pool).hold() as held:
        await held.prepare(afresh=True)
        rebuilt = Ledger(pool, generation=NEXT)
        await rebuilt.start(6)
        for batch in batches(log, 2):
            await rebuilt.apply(batch)
            if drops:
                await rebuilt.drop()
        async with held.fence():
            assert (await held.compare()).differing == 0
            await held.switch()
    dropped = "SELECT count(*) FROM aggregation.ledger_dropped"
    assert (await pool.fetchval(dropped) > 0) == drops
    model = LedgerModel(kept_for=KEPT_FOR)
    model.apply(log.records)
    await serving.drop()
    model.drop_old_rows()
    await check_against(model, pool)
    last = max(record.logged_at for record in log.records) + TICK
    copy = log.records[0]._replace(offset=120, logged_at=last)
    assert (await serving.apply([copy])).rejects[0].code == "too_late"


async def test_rebuild_under_a_longer_setting_reaches_further_back(
    pool: asyncpg.Pool,
) -> None:
    """Rows come back with the log; where nobody was late, no figure changes."""
    ledger = Ledger(pool)
    await ledger.start(1)
    events = [
        counted(str(number), time=NINE + number * KEPT_FOR) for number in range(9)
    ]
    records = [
        LogRecord(0, offset, event.time, event, ledger_key(event.source, event.id))
        for offset, event in enumerate(events)
    ]
    await ledger.apply(records)
    assert await ledger.drop() == 7
    async with GenerationStore(pool).hold() as held:
        await held.prepare(afresh=True)
        rebuilt = Ledger(pool, 5 * KEPT_FOR, NEXT)
        await rebuilt.start(1)
        await rebuilt.apply(records)
        await rebuilt.drop()
        async with held.fence():
            assert (await held.compare()).differing == 0
            await held.switch()
    assert len(await rows_of(pool, "SELECT key FROM aggregation.ledger")) == 6
    again = records[4]._replace(offset=9, logged_at=events[8].time)
    longer = Ledger(pool, 5 * KEPT_FOR)
    assert (await longer.apply([again])).classes[0].duplicates == 1


async def test_every_statement_of_an_id_borne_anew_is_published_again(
    pool: asyncpg.Pool,
) -> None:
    """Also where a page ends between two of one id; each is voided by itself."""
    ledger = Ledger(pool)
    await ledger.start(1)
    days = [TODAY, TODAY + timedelta(days=1), TODAY + timedelta(days=2)]
    told = [
        stated("a", number, day, time=NINE + number * 3 * KEPT_FOR)
        for number, day in enumerate(days)
    ]
    undo = reversal("b", told[2], time=told[2].time)
    records = [
        LogRecord(0, offset, sent.time, sent, ledger_key(sent.source, sent.id))
        for offset, sent in enumerate([*told, undo])
    ]
    await ledger.apply(records[:1])
    await ledger.apply(records[1:3])
    await pool.execute("TRUNCATE aggregation.outbox_change")
    (statements,) = (part for part in PARTS if part.name == "statements")
    store, noted, place = RepublishStore(pool, page_rows=1), 0, statements.first_place
    while (page := await store.note(statements, place, {told[0].agency: 0})).place:
        noted, place = noted + page.rows, page.place
    assert noted == 3
    changes = "SELECT unnest(days) FROM aggregation.outbox_change ORDER BY 1"
    assert await rows_of(pool, changes) == [(day,) for day in days]
    await ledger.apply(records[3:])
    kept = "SELECT day FROM aggregation.statement ORDER BY 1"
    assert await rows_of(pool, kept) == [(day,) for day in days[:2]]
