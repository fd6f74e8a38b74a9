"""What Alertmanager is told after an outage, in which order, and what is on record."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from services.alerting.core.alerts import Kind, fingerprint
from services.alerting.relay import AlertmanagerDelivery
from services.alerting.relay.alertmanager import (
    END_SOUGHT_FOR,
    POLL_SECONDS,
    RESOLVED_FOR,
)
from services.alerting.store import AlertStore, Delivery, EvaluationStore
from shared.alerting_metrics import AlertingMetrics
from shared.postgres.pool import open_pool
from tests.support.hooks import Receiver, receiving
from tests.support.stack import Stack, eventually
from tests.support.uptake_command import run_uptake

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

RAISED = """
INSERT INTO alerting.target (
    target, indicator, locality, valid_from, locality_kind, province, indicator_name,
    indicator_name_vi, place_name, timezone, trajectory, start_date, start_value, due,
    goal, enter_bp, leave_bp, for_seconds, keep_seconds, illustrative, status
)
SELECT
    format('%s-%s', kind, n), 'cashless_accounts', '38', '2025-07-01', kind, '', '', '',
    '', 'Asia/Ho_Chi_Minh', 'linear', '2026-01-01', 0, '2026-12-31', 1, 9000, 9500, 1,
    1, true, CASE WHEN n = 3 THEN 'unknown' ELSE 'lagging' END
FROM (
    SELECT n, CASE WHEN n = $1 THEN 'nation' WHEN n % 2 = 0 THEN 'commune'
        ELSE 'province' END AS kind
    FROM generate_series(1, $1) AS n
) AS x;
"""
ALERTS = """
INSERT INTO alerting.alert (
    fingerprint, target, kind, state, episode, state_since, pending_since, firing_since,
    summary_en, summary_vi, evaluated_at, told_from, version
)
SELECT
    md5(target), target, 'TargetLagging', 'firing', 1, now(), now(), now(), '', '',
    now(), now(), 1
FROM alerting.target
"""


@pytest.fixture
async def pool(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    """Connect as alerting does."""
    made = await open_pool(stack.postgres_settings, role="uptake_alerting", size_max=4)
    yield made
    await made.close()


async def claim(pool: asyncpg.Pool) -> list[Delivery]:
    """Take what is due, as the relay does, for no time."""
    return await AlertStore(pool).claim_deliveries(
        200,
        resolved_for=RESOLVED_FOR,
        lease=timedelta(),
        end_sought_for=END_SOUGHT_FOR,
    )


def alertmanager(
    pool: asyncpg.Pool,
    receiver: Receiver,
    moved: asyncio.Event | None = None,
    *,
    poll_seconds: float = POLL_SECONDS,
) -> AlertmanagerDelivery:
    """Make the relay to a server of ours."""
    return AlertmanagerDelivery(
        AlertStore(pool),
        AlertingMetrics(CollectorRegistry()),
        url=f"http://127.0.0.1:{receiver.port}",
        resend=timedelta(seconds=60),
        timeout=timedelta(seconds=5),
        moved=moved or asyncio.Event(),
        on_outage=lambda _: None,
        poll_seconds=poll_seconds,
    )


def names(body: bytes) -> list[tuple[str, str]]:
    """Return level and target of the alerts in a request, in its order."""
    alerts: list[dict[str, Any]] = json.loads(body)
    return [
        (each["labels"]["level"], each["labels"]["target"])
        for each in alerts
        if each["labels"]["alertname"] == "TargetLagging"
    ]


async def test_alertmanager_that_is_back_hears_of_each_alert_once_parents_first(
    stack: Stack, pool: asyncpg.Pool
) -> None:
    """No queue of the past, no second telling, and every failure on record."""
    await pool.execute(RAISED.replace("$1", "1125"))
    await pool.execute(ALERTS)
    async with receiving() as receiver:
        relay = alertmanager(pool, receiver)
        async with aiohttp.ClientSession() as session:
            receiver.answer = lambda _request, _before: web.Response(status=503)
            assert await relay._deliver(session) == 0
            receiver.answer = lambda _request, _before: web.Response()
            receiver.received.clear()
            while await relay._deliver(session):
                continue
    told = [names(each.body) for each in receiver.received]
    assert [len(each) for each in told] == [500, 500, 125]
    in_order = [each for request in told for each in request]
    assert len(set(in_order)) == 1_125
    ranks = ["nation", "province", "commune"]
    assert [ranks.index(level) for level, _ in in_order] == sorted(
        ranks.index(level) for level, _ in in_order
    )
    joined = [
        each["labels"]["target"]
        for request in receiver.received
        for each in json.loads(request.body)
        if each["labels"]["alertname"] == "TargetUnknown"
    ]
    assert joined == ["province-3"]
    rows = await pool.fetch("SELECT outcome, tries FROM reporting.alert_delivery")
    assert sorted(row["tries"] for row in rows) == [1] * 625 + [2] * 500
    assert {row["outcome"] for row in rows} == {"told"}
    await _check_command(stack)


async def _check_command(stack: Stack) -> None:
    ran = await run_uptake(stack, "alerts", "deliveries")
    assert "nothing waits" in ran.out, ran
    ran = await run_uptake(stack, "alerts", "deliveries", "nation-1125", "--all")
    assert "alertmanager" in ran.out
    assert "told " in ran.out
    assert "2 tries" in ran.out
    assert ran.widest <= 80
    ran = await run_uptake(stack, "alerts", "deliveries", "--all", "--json")
    row = json.loads(ran.out)["deliveries"][0]
    assert (row["receiver"], row["outcome"]) == ("alertmanager", "told")
    ran = await run_uptake(stack, "alerts", "show", "nation-1125")
    assert "alertmanager   TargetLagging firing since" in ran.out, ran
    assert ran.widest <= 80


async def test_end_is_told_until_it_was_taken(pool: asyncpg.Pool) -> None:
    """However long Alertmanager was away, as far as it still matters there."""
    store = AlertStore(pool)
    await pool.execute(RAISED.replace("$1", "1"))
    await pool.execute(ALERTS)

    async def over_since(span: timedelta) -> None:
        await pool.execute(
            "UPDATE alerting.alert SET state = 'resolved', next_delivery_at = now(), "
            "told_until = now() - $1::interval, resolved_at = now()",
            span,
        )

    await over_since(timedelta(hours=1))
    (delivery,) = await claim(pool)
    await store.note_deliveries([delivery], timedelta(), "away")
    assert len(await claim(pool)) == 1
    await store.note_deliveries([delivery], timedelta())
    assert len(await claim(pool)) == 1, "repeated for a while, as any end is"
    await pool.execute(
        "UPDATE alerting.delivery SET told_at = now() - interval '16 minutes'"
    )
    assert await claim(pool) == []
    rows = await pool.fetch(
        "SELECT state, tries, outcome FROM reporting.alert_delivery"
    )
    assert [tuple(row) for row in rows] == [("resolved", 2, "told")]
    await over_since(timedelta(hours=7))
    assert await claim(pool) == []


async def test_alertmanager_hears_of_what_moves_before_the_next_poll(
    pool: asyncpg.Pool,
) -> None:
    """From the look that moves it, that is: the next poll is an hour away."""
    moved = asyncio.Event()
    looks = EvaluationStore(pool, timedelta(minutes=5), moved=moved)
    await pool.execute(RAISED.replace("$1", "1"))
    await pool.execute(ALERTS)
    name = fingerprint(Kind.LAGGING, "nation-1")
    await pool.execute("UPDATE alerting.alert SET fingerprint = $1", name)
    async with receiving() as receiver, asyncio.TaskGroup() as tasks:

        async def has_heard(times: int) -> bool:
            return len(receiver.received) == times

        relay = alertmanager(pool, receiver, moved, poll_seconds=3600)
        telling = tasks.create_task(relay.run())
        await eventually(partial(has_heard, 1), what="told at the start")
        await pool.execute("UPDATE alerting.target SET is_removed = true")
        assert await looks.evaluate_due(1) == 1
        await eventually(partial(has_heard, 2), what="told that it is over")
        telling.cancel()
