"""`uptake republish`: what the topic lost is in it again."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from services.aggregation.consumer.replay import partition_of
from services.aggregation.jobs.republish import Republication
from services.aggregation.store.outbox import FIRST_PLACE, OutboxStore
from services.aggregation.store.republish import RepublishStore
from shared.events.topics import TOTALS
from shared.kafka.broker import admin_client
from shared.kafka.topic_setup import create_topics
from shared.postgres.pool import open_pool
from tests.integration.test_rebuild import send_a_bit_of_everything
from tests.support.auditor import Auditor
from tests.support.events import now, opened
from tests.support.load import Load
from tests.support.rebuilding import rebuild
from tests.support.stack import PARTITIONS, Stack, eventually
from tests.support.totals import target, wait_alert, write_targets
from tests.support.uptake_command import Ran, run_uptake

pytestmark = pytest.mark.timeout(180)

DAYS = "SELECT indicator, agency, locality, valid_from, day, count, amount FROM {} "
COUNTED = DAYS.format("reporting.daily_total") + "ORDER BY 1, 2, 3, 4, 5"
COPIED = (
    DAYS.format("alerting.daily_total")
    + "WHERE count <> 0 OR amount <> 0 ORDER BY 1, 2, 3, 4, 5"
)
LEVELS = (
    "SELECT indicator, agency, locality, valid_from, {0} FROM {1} "
    "WHERE {0} <> 0 ORDER BY 1, 2, 3"
)
CLAIMS = "SELECT agency, indicator, day, claimed FROM {} {} ORDER BY 1, 2, 3"
REPORTS = "SELECT agency, indicator, {} FROM {} ORDER BY 1, 2"
# As the runbook says.
EMPTY_THE_COPY = """
    DELETE FROM alerting.unit;
    TRUNCATE alerting.position, alerting.daily_total, alerting.stated, alerting.series,
        alerting.claim
"""
Rows = list[tuple[object, ...]]


async def rows(stack: Stack, query: str) -> Rows:
    """Return rows as plain tuples."""
    return [tuple(row) for row in await stack.fetch(query)]


async def differences(stack: Stack) -> list[tuple[Rows, Rows]]:
    """Hold what alerting copied against what aggregation has."""
    pairs = (
        (COPIED, COUNTED),
        (
            LEVELS.format("level", "alerting.series"),
            LEVELS.format("count", "reporting.leaf_total_on('infinity')"),
        ),
        (
            CLAIMS.format("alerting.claim", "WHERE claimed IS NOT NULL"),
            CLAIMS.format("reporting.control", ""),
        ),
        (
            REPORTS.format("reported_at", "alerting.last_report"),
            REPORTS.format("logged_at", "reporting.last_report"),
        ),
    )
    compared = [(await rows(stack, one), await rows(stack, two)) for one, two in pairs]
    return [(one, two) for one, two in compared if one != two]


async def wait_equal(stack: Stack) -> None:
    """Wait until alerting's copy says what aggregation counted."""

    async def is_equal() -> bool:
        return not await differences(stack)

    try:
        await eventually(is_equal, what="an equal copy")
    except AssertionError as error:
        tail = stack.log_tail("alerting")
        raise AssertionError(f"{await differences(stack)}; {tail}") from error


async def recreate_totals(stack: Stack) -> None:
    """Delete the topic of totals and make it again, as an operator would."""
    async with admin_client(stack.kafka_settings) as admin:
        await admin.delete_topics([TOTALS])

        async def is_gone() -> bool:
            return TOTALS not in await admin.list_topics()

        await eventually(is_gone, what="the topic is deleted")

    async def is_made() -> bool:
        return TOTALS in await create_topics(stack.kafka_settings)

    await eventually(is_made, what="the topic is made again")


async def restart_with_empty_copy(stack: Stack) -> None:
    """Start alerting as the runbook says, once it has ended by itself."""
    status = await stack.children["alerting"].wait(30)
    assert status == 1, stack.log_tail("alerting")
    assert "`uptake republish`" in stack.log_tail("alerting")
    for statement in EMPTY_THE_COPY.split(";"):
        await stack.fetch(statement)
    await stack.start("alerting")


def said(ran: Ran, event: str) -> list[dict[str, Any]]:
    """Return log lines of the command about an event."""
    lines = [json.loads(line) for line in ran.out.splitlines()]
    return [line for line in lines if line["event"] == event]


async def test_topic_made_anew_is_filled_again(stack: Stack) -> None:
    """While services run and events arrive; a fresh copy is complete, alerts stay."""
    write_targets(stack.catalogue, target(goal=1_000_000))
    await stack.start("ingest", "aggregation", "alerting")
    sent = await send_a_bit_of_everything(stack)
    await wait_equal(stack)
    await wait_alert(stack, "firing")
    alerts = "SELECT fingerprint, episode, pending_since FROM alerting.alert"
    before = await rows(stack, alerts)
    auditor = Auditor()
    load = Load(stack, auditor, "bank", 1_000, 20, 3, pause_seconds=0.05)
    async with asyncio.TaskGroup() as group:
        group.create_task(load.run())
        await recreate_totals(stack)
        ran = await run_uptake(stack, "republish")
        assert ran.status == 0, ran
        load.is_over = True
    await stack.wait_applied(sent + auditor.copies_sent)
    (done,) = said(ran, "republished")
    assert done["totals"] > 0
    await restart_with_empty_copy(stack)
    await wait_equal(stack)
    assert await rows(stack, alerts) == before
    # Again, for nothing: it changes nothing.
    ran = await run_uptake(stack, "republish")
    assert ran.status == 0, ran
    assert not await differences(stack)


async def test_stopped_run_is_repeated_from_the_beginning(stack: Stack) -> None:
    """Without aggregation it waits and says so; stopped and repeated, all is there."""
    await stack.start("ingest", "aggregation", "alerting")
    sent = await send_a_bit_of_everything(stack)
    await wait_equal(stack)
    await stack.kill("aggregation")
    await recreate_totals(stack)

    async def is_noted() -> bool:
        return bool(await rows(stack, "SELECT FROM aggregation.outbox_change"))

    async with asyncio.TaskGroup() as group:
        running = group.create_task(run_uptake(stack, "republish"))
        await eventually(is_noted, what="totals are noted")
        assert not running.done()
        running.cancel()
    # Half of it, as if it had been stopped earlier.
    await stack.fetch("DELETE FROM aggregation.outbox_change WHERE kind <> 'd'")
    await stack.start("aggregation")
    ran = await run_uptake(stack, "republish")
    assert ran.status == 0, ran
    await restart_with_empty_copy(stack)
    await wait_equal(stack)
    assert (await stack.post(opened(3))).status == 202
    await stack.wait_applied(sent + 1)
    await wait_equal(stack)


async def test_missing_topic_is_one_line(stack: Stack) -> None:
    """What to do is in it; nothing is noted."""
    async with admin_client(stack.kafka_settings) as admin:
        await admin.delete_topics([TOTALS])

        async def is_gone() -> bool:
            return TOTALS not in await admin.list_topics()

        await eventually(is_gone, what="the topic is deleted")
    ran = await run_uptake(stack, "republish")
    assert ran.status == 1
    (line,) = ran.errors.splitlines()
    assert line == (
        "uptake: topic uptake.totals does not exist, or this user may not describe "
        "it; run `uptake migrate` first"
    )


async def test_mended_total_reaches_the_copy_at_once(stack: Stack) -> None:
    """What a rebuild mends has the revision that it had; the copy takes it."""
    await stack.start("ingest", "aggregation", "alerting")
    assert (await stack.post([opened(7), opened(9, locality="16000")])).status == 202
    await stack.wait_applied(2)
    await wait_equal(stack)
    right = await rows(stack, COPIED)
    await stack.fetch("UPDATE aggregation.daily_total SET count = 8 WHERE count = 7")
    assert (await run_uptake(stack, "republish")).status == 0
    await wait_equal(stack)
    assert await rows(stack, COPIED) != right
    process = await rebuild(stack)
    assert process.lines("rebuild_switched")[0]["differing"] == 1
    await wait_equal(stack)
    assert await rows(stack, COPIED) == right


async def test_note_made_while_a_total_is_published_is_not_forgotten(
    stack: Stack,
) -> None:
    """Also at the same revision: only what was read is forgotten."""
    await stack.start("ingest", "aggregation")
    await stack.post(opened(7))
    await stack.wait_applied(1)
    await stack.kill("aggregation")
    pool = await open_pool(
        stack.postgres_settings, role="uptake_aggregation", size_max=1
    )
    try:
        outbox = OutboxStore(pool)
        note = (
            "INSERT INTO aggregation.outbox_change (partition, keys, kind, series_ids, "
            "days) SELECT 0, 1, 'd', ARRAY[series_id], ARRAY[day] "
            "FROM aggregation.daily_total"
        )
        await stack.fetch("DELETE FROM aggregation.outbox_change")
        await stack.fetch(note)
        first = await outbox.pick_changes([0])
        read = await outbox.changed_totals(first, 10, after=FIRST_PLACE)
        await stack.fetch(note)
        await outbox.forget_changes(first)
        second = await outbox.pick_changes([0])
        again = await outbox.changed_totals(second, 10, after=FIRST_PLACE)
        assert [total.count for total in again] == [7]
        assert [total.revision for total in again] == [total.revision for total in read]
        await outbox.forget_changes(second)
        assert await outbox.pick_changes([0]) == {}
    finally:
        await pool.close()


class Watched:
    """Keeps what a republication shows."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, int]] = []
        self.reasons: list[str | None] = []

    def moved(self, noted: int, of_rows: int, waiting: int) -> None:
        """Keep it."""
        self.seen.append((noted, of_rows, waiting))

    def waits(self, reason: str | None) -> None:
        """Keep it."""
        self.reasons.append(reason)


async def test_outbox_stays_bounded_and_an_idle_aggregation_is_named(
    stack: Stack,
) -> None:
    """More is noted only as room comes free; while nobody publishes, it says so."""
    await stack.start("ingest", "aggregation", "alerting")
    places = ("15469", "15961", "16000")
    batch = [opened(7, locality=place) for place in places for _ in range(2)]
    for days in range(4):
        for each in batch:
            at = now() - timedelta(days=days)
            assert (await stack.post({**each, "time": at.isoformat()})).status == 202
    sent = 4 * len(batch)
    await stack.wait_applied(sent)
    await wait_equal(stack)
    await stack.kill("aggregation")
    watched = Watched()
    pool = await open_pool(
        stack.postgres_settings, role="uptake_aggregation", size_max=1
    )
    job = Republication(
        RepublishStore(pool, page_rows=2),
        watched,
        lambda agency: partition_of(agency, range(PARTITIONS)),
        waiting_rows_max=5,
        idle_seconds_max=0.5,
    )

    async def is_idle() -> bool:
        return bool(watched.reasons)

    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(job.run())
            await eventually(is_idle, what="it says that nothing is published")
            assert not running.done()
            await stack.start("aggregation")
    finally:
        await pool.close()
    days_counted = await rows(stack, COUNTED)
    assert running.result() == len(days_counted) + 1
    assert max(waiting for _, _, waiting in watched.seen) <= 5
    assert watched.seen[-1][1:] == (len(days_counted) + 1, 0)
    assert "does aggregation run" in str(watched.reasons[0])
    assert watched.reasons[-1] is None
