"""What `uptake rebuild` refuses, each in a line, and what it then leaves as it is."""

import asyncpg
import pytest

from shared.events.topics import EVENTS
from shared.kafka.broker import admin_client
from tests.integration.test_start_rules import recreate_log
from tests.support.events import THANH_HOA, opened
from tests.support.rebuilding import RebuildProcess, rebuild, table_number
from tests.support.stack import Stack

pytestmark = pytest.mark.timeout(180)


async def test_second_rebuild_is_refused(stack: Stack) -> None:
    """One line, status 1; the first is not disturbed."""
    await stack.start("ingest", "aggregation")
    await stack.post(opened(7))
    await stack.wait_applied(1)
    connection = await asyncpg.connect(stack.dsn)
    try:
        # A writer that does not end has the first one wait at the fence.
        async with connection.transaction():
            await connection.execute("SELECT * FROM aggregation.progress FOR UPDATE")
            first = RebuildProcess(stack)
            await first.until_said("rebuild_began")
            second = await rebuild(stack, status=1)
            assert "another rebuild of this database is running" in second.text
            assert "Traceback" not in second.text
            assert first.child.is_running()
            assert await stack.total("cashless_accounts", THANH_HOA) == (7, 0)
    finally:
        await connection.close()
    assert await first.status() == 0, first.text


async def test_migrated_tables_begin_the_rebuild_again(stack: Stack) -> None:
    """What an older release began is not switched to."""
    await stack.start("ingest", "aggregation")
    await stack.post(opened(7))
    await stack.wait_applied(1)
    await stack.fetch("UPDATE aggregation.daily_total SET count = 1")
    await rebuild(stack, "--verify", status=1)
    await stack.kill("aggregation")
    await stack.fetch("ALTER TABLE aggregation.daily_total ADD COLUMN note text")
    process = await rebuild(stack)
    assert process.lines("rebuild_began")[0]["resumed"] is False
    rows = await stack.fetch("SELECT count, note FROM aggregation.daily_total")
    assert [tuple(row) for row in rows] == [(7, None)]


@pytest.mark.parametrize("records", [0, 3, 5])
async def test_log_that_was_not_counted_is_never_switched_to(
    stack: Stack, records: int
) -> None:
    """Empty, as long or longer: one line, and the old totals go on serving."""
    await stack.start("ingest", "aggregation")
    for _ in range(3):
        await stack.post(opened(5))
    await stack.wait_applied(3)
    serving = await table_number(stack)
    await recreate_log(stack, records=records)
    process = await rebuild(stack, status=1)
    assert "uptake.events partition" in process.text
    assert "Traceback" not in process.text
    assert await table_number(stack) == serving
    assert await stack.total("cashless_accounts", THANH_HOA) == (15, 0)


async def test_view_of_somebody_else_stops_the_switch(stack: Stack) -> None:
    """What cannot follow is named, and nothing is changed."""
    await stack.start("ingest", "aggregation")
    await stack.post(opened(7))
    await stack.wait_applied(1)
    await stack.fetch(
        "CREATE MATERIALIZED VIEW public.mine AS SELECT * FROM aggregation.ledger"
    )
    process = await rebuild(stack, status=1)
    assert "materialized view public.mine" in process.text
    await stack.fetch("DROP MATERIALIZED VIEW public.mine")
    process = await rebuild(stack)
    assert process.lines("rebuild_began")[0]["resumed"] is True


async def test_missing_topic_is_one_line(stack: Stack) -> None:
    """A rebuild from nothing would be a rebuild to nothing."""
    async with admin_client(stack.kafka_settings) as admin:
        await admin.delete_topics([EVENTS])
    process = await rebuild(stack, status=1)
    assert EVENTS in process.text
    assert "Traceback" not in process.text
