"""`uptake rebuild`: the log again, beside what serves, and a fenced switch."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from tests.support.auditor import Auditor, check_equation
from tests.support.catalogues import write_agency
from tests.support.database_schema import _dump
from tests.support.events import HOANG_LOC, THANH_HOA, event, now, opened, reversal
from tests.support.load import Load
from tests.support.rebuilding import (
    RebuildProcess,
    daily_totals,
    rebuild,
    table_number,
)
from tests.support.stack import Stack, eventually

pytestmark = pytest.mark.timeout(180)


async def send_a_bit_of_everything(stack: Stack) -> int:
    """Send duplicates, conflicts, reversals, statements, controls; return how many."""
    day = (now() + timedelta(hours=7)).date().isoformat()
    stated = event(
        "uptake.indicator.stated",
        indicator="cashless_accounts",
        locality=HOANG_LOC,
        count=1000,
        day=day,
    )
    control = event(
        "uptake.control.stated", indicator="cashless_accounts", count=9, day=day
    )
    sale = event("uptake.ecommerce.completed", locality=HOANG_LOC, amount=412_750)
    once, gone, early = opened(7), opened(20), opened(30, locality="16000")
    twisted = {**once, "data": {"locality": HOANG_LOC, "count": 8}}
    voided = event(
        "uptake.indicator.stated",
        indicator="cashless_accounts",
        locality="16000",
        count=5,
        day=day,
    )
    sent = [once, once, twisted, gone, reversal(gone), reversal(early), early]
    sent += [stated, control, sale, voided, reversal(voided), reversal(gone)]
    for each in sent:
        assert (await stack.post(each)).status == 202
    await stack.wait_applied(len(sent))
    return len(sent)


async def test_rebuild_gives_equal_totals_and_the_same_schema(
    stack: Stack,
) -> None:
    """Every kind of record; afterwards names, checks, views and rights are the same."""
    await stack.start("ingest", "aggregation")
    sent = await send_a_bit_of_everything(stack)
    before, schema = await daily_totals(stack), await _dump(stack.dsn)
    classes, serving = await stack.classes(), await table_number(stack)
    process = await rebuild(stack)
    (said,) = process.lines("rebuild_switched")
    assert (said["records"], said["differing"]) == (sent, 0)
    assert await table_number(stack) != serving
    assert await daily_totals(stack) == before
    assert await stack.classes() == classes
    assert await _dump(stack.dsn) == schema
    # The service that ran all along counts in the new generation.
    assert (await stack.post(opened(5))).status == 202
    await stack.wait_applied(sent + 1)
    total = await stack.total("cashless_accounts", THANH_HOA)
    await rebuild(stack)
    assert await stack.total("cashless_accounts", THANH_HOA) == total


async def test_rebuilds_under_load_lose_and_double_nothing(stack: Stack) -> None:
    """Three switches while two agencies send; an independent recount agrees.

    Promises 3 and 4 are read all the time, from one snapshot each.
    """
    await stack.start("ingest", "aggregation")
    auditor, rebuilt = Auditor(), asyncio.Event()
    sent_during: list[int] = []

    async def send_all_the_time(agency: str) -> None:
        seed = 0
        while not rebuilt.is_set():
            seed += 1
            await Load(stack, auditor, agency, 5, 200, seed, pause_seconds=0.1).run()

    async def read_all_the_time() -> None:
        while not rebuilt.is_set():
            await check_equation(stack)
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as group:
        for agency in ("bank", "census"):
            group.create_task(send_all_the_time(agency))
        group.create_task(read_all_the_time())
        for _ in range(3):
            before = auditor.copies_sent
            process = await rebuild(stack)
            sent_during.append(auditor.copies_sent - before)
            assert process.lines("rebuild_switched")[0]["differing"] == 0
        rebuilt.set()
    assert all(sent_during), sent_during
    await stack.wait_applied(auditor.copies_sent)
    await auditor.check(stack)
    await rebuild(stack, "--verify")
    await auditor.check(stack)


async def test_killed_rebuild_is_gone_on_with(stack: Stack) -> None:
    """SIGKILL half-way: the old one serves; the next run does not begin again."""
    await stack.start("ingest", "aggregation")
    auditor = Auditor()
    await Load(stack, auditor, "bank", 20, 500, 7).run()
    await stack.wait_applied(auditor.copies_sent)
    before, serving = await daily_totals(stack), await table_number(stack)
    half = 0

    async def is_half_way() -> bool:
        nonlocal half
        if await table_number(stack, "aggregation_next.progress"):
            rows = await stack.fetch(
                "SELECT sum(next_offset) FROM aggregation_next.progress"
            )
            half = int(rows[0][0] or 0)
        return half > 1_000

    process = RebuildProcess(stack, UPTAKE_BATCH_RECORDS_MAX="100")
    await eventually(is_half_way, what=process.text)
    await process.child.kill()
    assert await table_number(stack) == serving
    assert await daily_totals(stack) == before
    assert (await stack.post(opened(5, locality="16000"))).status == 202
    await stack.wait_applied(auditor.copies_sent + 1)
    before = await daily_totals(stack)
    process = await rebuild(stack)
    assert process.lines("rebuild_began")[0]["resumed"] is True
    assert await table_number(stack) != serving
    assert await daily_totals(stack) == before
    assert await table_number(stack, "aggregation_next.progress") == 0


async def test_rebuild_killed_at_any_moment_leaves_one_whole_generation(
    stack: Stack,
) -> None:
    """Killed again and again, also during the switch, under load; then it is done."""
    await stack.start("ingest", "aggregation")
    auditor = Auditor()
    load = Load(stack, auditor, "bank", 100, 50, 3, pause_seconds=0.1)
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(load.run())
        seconds = 0.9
        while not sending.done():
            process = RebuildProcess(stack)
            await asyncio.sleep(seconds)
            await process.child.kill()
            await check_equation(stack)
            seconds = 0.9 if seconds > 1.5 else seconds + 0.07
    await stack.wait_applied(auditor.copies_sent)
    await rebuild(stack)
    await auditor.check(stack)


async def test_changed_catalogue_gives_the_same_totals(stack: Stack) -> None:
    """An agency's rights and its area may change; what was counted stays counted."""
    await stack.start("ingest", "aggregation")
    await send_a_bit_of_everything(stack)
    before = await daily_totals(stack)
    write_agency(stack.catalogue, "bank", "04")
    (stack.catalogue / "agencies" / "shop.yaml").unlink()
    for service in ("ingest", "aggregation"):
        await stack.kill(service)
    await stack.start("aggregation")
    assert (await rebuild(stack)).lines("rebuild_switched")[0]["differing"] == 0
    assert await daily_totals(stack) == before


async def test_tampered_totals_are_found_and_mended(stack: Stack) -> None:
    """--verify names each row and changes nothing; a rebuild mends and publishes."""
    await stack.start("ingest", "aggregation")
    day = (now() + timedelta(hours=7)).date().isoformat()
    claim = event(
        "uptake.control.stated", indicator="cashless_accounts", count=16, day=day
    )
    await stack.post([opened(7), opened(9, locality="16000"), claim])
    await stack.wait_applied(3)
    before = await daily_totals(stack)

    async def is_published() -> bool:
        return not await stack.fetch("SELECT 1 FROM aggregation.outbox_change")

    await eventually(is_published, what="the outbox is empty")
    await rebuild(stack, "--verify")
    assert await table_number(stack, "aggregation_next.progress") == 0
    await stack.kill("aggregation")
    await stack.fetch(
        "UPDATE aggregation.daily_total SET count = count + 1 WHERE count = 7"
    )
    await stack.fetch("DELETE FROM aggregation.daily_total WHERE count = 9")
    await stack.fetch("UPDATE aggregation.control SET claimed = claimed + 1")
    wrong = await daily_totals(stack)
    process = await rebuild(stack, "--dry-run", status=1)
    found = process.lines("generations_differ")
    assert [each["table"] for each in found] == ["control"] + 2 * ["daily_total"]
    assert [(each["kept"], each["rebuilt"]) for each in found[1:]] == [
        ("8 0", "7 0"),
        (None, "9 0"),
    ]
    assert f"cashless_accounts bank {HOANG_LOC}" in found[1]["key"]
    assert await daily_totals(stack) == wrong
    process = await rebuild(stack)
    assert process.lines("rebuild_began")[0]["resumed"] is True
    assert process.lines("rebuild_switched")[0]["differing"] == 3
    assert await daily_totals(stack) == before
    rows = await stack.fetch("SELECT kind, keys FROM aggregation.outbox_change")
    assert sorted(tuple(row) for row in rows) == [(b"d", 2), (b"k", 1)]
    await stack.start("aggregation")
    await eventually(is_published, what="what was mended is published")


async def test_writers_of_the_old_generation_cannot_write_after_the_switch(
    stack: Stack,
) -> None:
    """A session that prepared its statements before finds the new tables after."""
    await stack.start("ingest", "aggregation")
    await stack.post([opened(7), opened(9)])
    await stack.wait_applied(2)
    await stack.kill("aggregation")
    old = await stack.fetch("SELECT tableoid FROM aggregation.ledger LIMIT 1")
    connection = await asyncpg.connect(stack.dsn)
    try:
        lock = await connection.prepare(
            "SELECT tableoid, next_offset FROM aggregation.progress FOR UPDATE"
        )
        void = await connection.prepare(
            "UPDATE aggregation.ledger SET voided_by = 0 RETURNING tableoid"
        )
        served = (await lock.fetch())[0]["tableoid"]
        await rebuild(stack)
        assert (await lock.fetch())[0]["tableoid"] != served
        assert (await void.fetch())[0]["tableoid"] != old[0]["tableoid"]
        rows = await connection.fetch("SELECT 1 FROM pg_class WHERE oid = $1", served)
        assert rows == []
    finally:
        await connection.close()


async def test_long_read_delays_the_switch_and_is_not_disturbed(stack: Stack) -> None:
    """A report of one snapshot goes on; so does everything else meanwhile."""
    await stack.start("ingest", "aggregation")
    await stack.post(opened(7))
    await stack.wait_applied(1)
    connection = await asyncpg.connect(stack.dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.fetch("SELECT * FROM reporting.daily_total")
            process = RebuildProcess(stack)
            await process.until_said("rebuild_waits")
            assert (await stack.post(opened(5))).status == 202
            await stack.wait_applied(2)
            rows = await connection.fetch("SELECT count FROM reporting.daily_total")
            assert [row["count"] for row in rows] == [7]
    finally:
        await connection.close()
    assert await process.status() == 0, process.text
    assert await stack.total("cashless_accounts", THANH_HOA) == (12, 0)


async def test_rebuild_killed_in_the_switch_lets_everybody_go_on(
    stack: Stack,
) -> None:
    """Killed while it holds writers off: they go on, and the next run only switches."""
    await stack.start("ingest", "aggregation")
    await stack.post(opened(7))
    await stack.wait_applied(1)
    serving = await table_number(stack)
    connection = await asyncpg.connect(stack.dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.fetch("SELECT * FROM reporting.daily_total")
            process = RebuildProcess(stack)

            async def is_switching() -> bool:
                return bool(
                    await stack.fetch(
                        "SELECT FROM pg_locks AS l JOIN pg_database AS d "
                        "ON d.oid = l.database AND d.datname = current_database() "
                        "WHERE l.mode = 'AccessExclusiveLock' AND NOT l.granted"
                    )
                )

            await eventually(is_switching, what="the switch waits for a reader")
            await process.child.kill()
            assert (await stack.post(opened(5))).status == 202
            await stack.wait_applied(2)
    finally:
        await connection.close()
    assert await table_number(stack) == serving
    process = await rebuild(stack)
    assert process.lines("rebuild_began")[0]["resumed"] is True
    assert await stack.total("cashless_accounts", THANH_HOA) == (12, 0)


async def test_lost_session_is_taken_up_again(stack: Stack) -> None:
    """Postgres ends the session at the fence; the rebuild waits and ends well."""
    await stack.start("ingest", "aggregation")
    await stack.post(opened(7))
    await stack.wait_applied(1)
    connection = await asyncpg.connect(stack.dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT * FROM aggregation.progress FOR UPDATE")
            process = RebuildProcess(stack)

            async def is_ended() -> bool:
                return bool(
                    await stack.fetch(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() "
                        "AND wait_event_type = 'Lock' AND query LIKE '%LOCK TABLE%'"
                    )
                )

            await eventually(is_ended, what="the rebuild's session is ended")
            await process.until_said("waiting_for_outage")
    finally:
        await connection.close()
    assert await process.status() == 0, process.text
    assert [each["resumed"] for each in process.lines("rebuild_began")] == [False, True]
    assert await stack.total("cashless_accounts", THANH_HOA) == (7, 0)
