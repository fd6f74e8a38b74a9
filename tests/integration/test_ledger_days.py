"""UPTAKE_LEDGER_DAYS on a running system: what is refused, what goes, what stays."""

import json
import signal

import pytest

from tests.integration.test_start_rules import refused_start
from tests.support.events import THANH_HOA, opened, reversal
from tests.support.stack import Stack, eventually
from tests.support.uptake_command import run_uptake

pytestmark = pytest.mark.timeout(120)

LONG_AGO = (
    (
        "UPDATE aggregation.ledger SET logged_at = logged_at - interval '500 days', "
        "occurred_at = occurred_at - interval '500 days', day = day - 500"
    ),
    (
        "UPDATE aggregation.reversal SET reversed_occurred_at = "
        "reversed_occurred_at - interval '500 days'"
    ),
    "UPDATE aggregation.daily_total SET day = day - 500",
)
"""Moves what was counted so far, as if it had been logged then."""


async def test_ledger_shorter_than_the_window_is_refused_in_one_line(
    stack: Stack,
) -> None:
    """The catalogue takes events for 62 days."""
    said = await refused_start(stack, "aggregation", UPTAKE_LEDGER_DAYS="62")
    assert "UPTAKE_LEDGER_DAYS is 62" in said
    assert "at least 63" in said


async def test_old_rows_go_in_the_background_and_everything_still_agrees(
    stack: Stack,
) -> None:
    """Two replicas; totals stay, reconcile says what is left out, a stop is quick."""
    stack.overrides = {
        "UPTAKE_LEDGER_DAYS": "63",
        "UPTAKE_RETENTION_INTERVAL_SECONDS": "0.1",
    }
    await stack.start("ingest", "aggregation")
    gone = opened(20)
    old = [opened(7), opened(9, locality="16000"), gone, reversal(gone)]
    assert (await stack.post(old)).status == 202
    await stack.wait_applied(4)
    await stack.kill("aggregation")
    for change in LONG_AGO:
        await stack.fetch(change)
    await stack.start("aggregation", "aggregation-2")
    assert (await stack.post([opened(1), opened(3)])).status == 202
    await stack.wait_applied(6)

    async def is_dropped() -> bool:
        rows = await stack.fetch("SELECT count(*) FROM aggregation.ledger")
        return int(rows[0][0]) == 2

    await eventually(is_dropped, what="old rows are dropped")
    assert await stack.total("cashless_accounts", THANH_HOA) == (20, 0)
    assert await stack.fetch("SELECT key FROM aggregation.reversal") == []
    ran = await run_uptake(stack, "reconcile", "--json")
    told = json.loads(ran.out)
    assert told["equal"], ran.out
    assert told["ledger_rows_dropped"] == 4
    assert told["daily_totals_not_compared"] == 2
    ran = await run_uptake(stack, "reconcile")
    assert "4 ledger rows were dropped because of their age: 2 daily totals" in ran.out
    ran = await run_uptake(stack, "totals", "--known-at", "2020-01-01T00:00:00Z")
    assert ran.status == 1
    (line,) = ran.errors.splitlines()
    assert "is before what the ledger still holds; what was known then" in line
    told_by = [
        (await stack.get(service, "/metrics"))[1]
        for service in ("aggregation", "aggregation-2")
    ]
    name = "uptake_ledger_rows_dropped_total "
    dropped = [
        float(line.removeprefix(name))
        for text in told_by
        for line in text.splitlines()
        if line.startswith(name)
    ]
    assert sum(dropped) == 4
    child = stack.children["aggregation"]
    child.send(signal.SIGTERM)
    assert await child.wait(10) == 0
