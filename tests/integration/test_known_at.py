"""Totals as known at an instant: what a report said then can be said again."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.events import HOANG_LOC, THANH_HOA, event, now, opened, reversal
from tests.support.rebuilding import rebuild
from tests.support.stack import Stack, eventually
from tests.support.uptake_command import run_uptake

Figures = list[tuple[object, ...]]
DAILY = (
    "SELECT indicator, agency, locality, valid_from, day, count, amount FROM {} "
    "ORDER BY 1, 2, 3, 4, 5"
)
DROPPED = """
INSERT INTO aggregation.ledger_dropped (partition, counted, reversed)
SELECT partition, 0, 0 FROM aggregation.progress WHERE kept_since IS NOT NULL
"""
"""As if rows had been dropped where any could have been."""
LEVELS = (
    "SELECT indicator, locality, valid_from, count, amount FROM {} "
    "WHERE count <> 0 OR amount <> 0 ORDER BY 1, 2, 3"
)

pytestmark = pytest.mark.timeout(120)


async def figures(stack: Stack) -> tuple[Figures, Figures]:
    """Return daily totals and levels as they are now."""
    daily = await stack.fetch(DAILY.format("reporting.daily_total"))
    levels = await stack.fetch(LEVELS.format("reporting.running_total"))
    return [tuple(row) for row in daily], [tuple(row) for row in levels]


async def figures_known_at(stack: Stack, at: datetime) -> tuple[Figures, Figures]:
    """Return daily totals and levels as known at an instant."""
    daily = await stack.fetch(DAILY.format("reporting.daily_total_known_at($1)"), at)
    known = "reporting.running_total_known_at('infinity', $1)"
    levels = await stack.fetch(LEVELS.format(known), at)
    return [tuple(row) for row in daily], [tuple(row) for row in levels]


async def test_every_state_is_known_for_ever(stack: Stack) -> None:
    """After each batch: figures and log time; later each comes out again, to the unit.

    Reversals before and after their originals, of events and of statements; also from
    a rebuilt ledger.
    """
    await stack.start("ingest", "aggregation")
    yesterday = now() - timedelta(days=1)
    day = (yesterday + timedelta(hours=7)).date().isoformat()
    stated: dict[str, Any] = {
        "indicator": "cashless_accounts",
        "locality": HOANG_LOC,
        "day": day,
    }
    first = event("uptake.indicator.stated", count=1000, **stated)
    second = event("uptake.indicator.stated", count=2000, at=now(), **stated)
    gone, stays, early = opened(20), opened(7), opened(30, locality="16000")
    sale = event("uptake.ecommerce.completed", locality=HOANG_LOC, amount=412_750)
    refund = event("uptake.ecommerce.refunded", locality=HOANG_LOC, amount=412_750)
    batches = [
        [gone, stays, first],
        [reversal(early), sale],
        [early, second, stays],
        [reversal(gone), refund],
        [reversal(second), opened(3, locality="16000")],
        [reversal(first), reversal(sale)],
    ]
    states, sent = [], 0
    for batch in batches:
        assert (await stack.post(batch)).status == 202
        sent += len(batch)
        await stack.wait_applied(sent)
        rows = await stack.fetch("SELECT max(last_logged_at) FROM reporting.progress")
        states.append((rows[0][0], *await figures(stack)))
    assert len({repr(state[1:]) for state in states}) == len(batches)
    await rebuild(stack)
    for at, daily, levels in states:
        assert await figures_known_at(stack, at) == (daily, levels)
    before = datetime(2020, 1, 1, tzinfo=UTC)
    assert await figures_known_at(stack, before) == ([], [])


async def test_totals_are_shown_as_known_then_and_how_complete(stack: Stack) -> None:
    """An instant that everything is counted up to is final; a later one is not yet."""
    await stack.start("ingest", "aggregation")
    await stack.post(opened(7))
    await stack.wait_applied(1)
    rows = await stack.fetch("SELECT max(last_logged_at) FROM reporting.progress")
    then = rows[0][0]

    async def is_complete() -> bool:
        rows = await stack.fetch("SELECT complete_up_to FROM reporting.completeness")
        return rows[0][0] is not None and rows[0][0] >= then

    await eventually(is_complete, what="everything up to then is counted")
    await stack.post(opened(5))
    await stack.wait_applied(2)
    unit = ("totals", "--locality", THANH_HOA)
    ran = await run_uptake(stack, *unit, "--known-at", then.isoformat(), "--json")
    told = json.loads(ran.out)
    assert [row["count"] for row in told["totals"]] == [7]
    assert datetime.fromisoformat(told["complete_up_to"]) >= then
    assert datetime.fromisoformat(told["known_at"]) == then
    ran = await run_uptake(stack, *unit, "--known-at", then.isoformat())
    assert "may still change" not in ran.out
    # While nobody counts, nothing becomes complete.
    await stack.kill("aggregation")
    rows = await stack.fetch("SELECT clock_timestamp()")
    present = rows[0][0].isoformat()
    ran = await run_uptake(stack, *unit, "--known-at", present)
    assert "may still change" in ran.out
    assert "12" in ran.out


async def test_instants_that_cannot_be_asked_are_refused_in_one_line(
    stack: Stack,
) -> None:
    """The future, what the ledger has dropped, and what is no instant at all."""
    await stack.start("ingest", "aggregation")
    long_ago = "2020-01-01T00:00:00+07:00"
    # Nothing was counted, so nothing was known: that is an answer; also before the
    # first record of a ledger that has dropped nothing.
    for sent in (0, 1):
        if sent:
            await stack.post(opened(7))
            await stack.wait_applied(sent)
        ran = await run_uptake(stack, "totals", "--known-at", long_ago)
        assert (ran.status, ran.errors) == (0, "")
        assert "nothing is counted here" in ran.out
    await stack.fetch(DROPPED)
    for asked, why in (
        (long_ago, "is before what the ledger still holds"),
        ("0001-01-02T00:00:00+00:00", "is before what the ledger still holds"),
        ("2999-01-01T00:00:00", "is in the future; give an instant up to now (20"),
        ("9999-12-31T23:59:59+00:00", "is in the future"),
        ("0001-01-01T00:00:00+07:00", "not between the years 1 and 9999"),
        ("9999-12-31T23:59:59-07:00", "not between the years 1 and 9999"),
        ("yesterday", "no instant: yesterday; write it like 2026-11-21T09:00:00+07:00"),
        ("2026-02-30", "no instant: 2026-02-30; write it like"),
    ):
        ran = await run_uptake(stack, "totals", "--known-at", asked)
        assert (ran.status, ran.out) == (1, ""), asked
        (line,) = ran.errors.splitlines()
        assert why in line
    # What is named as the first instant can be asked, and one before it cannot.
    ran = await run_uptake(stack, "totals", "--known-at", long_ago)
    first = ran.errors.split()[-2]
    ran = await run_uptake(stack, "totals", "--known-at", first, "--json")
    assert (ran.status, json.loads(ran.out)["totals"]) == (0, [])
    before = datetime.fromisoformat(first) - timedelta(microseconds=1)
    ran = await run_uptake(stack, "totals", "--known-at", before.isoformat())
    assert ran.status == 1
