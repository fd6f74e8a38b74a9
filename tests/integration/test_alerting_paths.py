"""Targets of every kind, from the catalogue's files to where they stand."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.events.totals_v1 import DailyTotalV1
from tests.support.stack import Stack, eventually
from tests.support.totals import (
    SINCE,
    day_total,
    local_today,
    publish_totals,
    status_of,
    target,
    wait_status,
    watermarks,
    write_targets,
)

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

FLOW = "ecommerce_transactions"


def sold(count: int, day: date, *, revision: int = 1) -> DailyTotalV1:
    """Build what a market sold in a commune on a day."""
    ago = (local_today() - day).days
    return day_total(
        count, days_ago=ago, revision=revision, indicator=FLOW, agency="voso"
    )


def write_population(catalogue: Path, count: int) -> None:
    """Make this the only population of a catalogue."""
    (catalogue / "populations.csv").write_text(
        "group,locality,valid_from,as_of,count,source,illustrative\n"
        f"people,38,{SINCE},{SINCE},{count},made up,true\n",
        encoding="utf-8",
    )


def in_period(id_: str, period: str, goal: int, **more: object) -> dict[str, Any]:
    """Build a target for a flow in a calendar period."""
    return {
        "id": id_,
        "indicator": FLOW,
        "locality": "38",
        "period": period,
        "goal": {"value": goal},
        "illustrative": True,
        **more,
    }


async def test_paths_and_shares_of_the_files_are_what_targets_are_judged_by(
    stack: Stack,
) -> None:
    """Milestones, an S-curve below a population; and half-way another path."""
    today = local_today()
    begin = today - timedelta(days=50)
    write_population(stack.catalogue, 1_000)
    steps = [
        {"date": today - timedelta(days=25), "value": 100},
        {"date": today + timedelta(days=25), "percent": 50},
    ]
    curve = target("test-curve", start=100)
    curve |= {"goal": {"percent": 90, "of": "people"}, "trajectory": "logistic"}
    stepped = target("test-steps")
    stepped |= {
        "goal": {"percent": 100, "of": "people"},
        "trajectory": {"milestones": steps},
    }
    write_targets(stack.catalogue, curve, stepped)
    await publish_totals(stack, [day_total(250, days_ago=20), *watermarks()])
    await stack.start("alerting")
    row = await wait_status(stack, "lagging", target_id="test-curve", actual=250)
    assert (row["expected"], row["goal"], row["position_bp"]) == (500, 900, 3_750)
    assert (row["trajectory"], row["goal_share_bp"]) == ("logistic", 9_000)
    assert (row["population_group"], row["population"]) == ("people", 1_000)
    assert (row["population_as_of"], row["population_source"]) == (SINCE, "made up")
    row = await wait_status(stack, "lagging", target_id="test-steps", actual=250)
    assert (row["expected"], row["goal"]) == (300, 1_000)
    assert (row["trajectory"], row["start_date"]) == ("milestones", begin)
    await stack.kill("alerting")
    stepped["trajectory"] = "linear"
    write_population(stack.catalogue, 2_000)
    write_targets(stack.catalogue, curve, stepped)
    await stack.start("alerting")
    row = await wait_status(stack, "lagging", target_id="test-steps", expected=1_000)
    assert (row["goal"], row["position_bp"]) == (2_000, 2_500)
    assert (await status_of(stack, "test-curve"))["goal"] == 1_800


async def wait_actual(stack: Stack, **actual: int) -> None:
    """Wait until targets, by the rest of their names, stand at figures."""
    wanted = {f"test-{name}": figure for name, figure in actual.items()}

    async def stand() -> bool:
        rows = await stack.fetch("SELECT target, actual FROM reporting.target_status")
        return {row["target"]: row["actual"] for row in rows} == wanted

    await eventually(stand, seconds=20, what=f"targets at {wanted}")


async def test_flow_counts_what_came_within_its_targets_run(stack: Stack) -> None:
    """By period or between two days, early or late, and nothing twice."""
    today = local_today()
    first = today.replace(day=1)
    last, long_ago = first - timedelta(days=1), today - timedelta(days=70)
    span = target("test-span", days_ago=40, start=1_000, goal=2_000)
    span["indicator"] = FLOW
    gone = in_period("test-gone", f"{last:%Y-%m}", 1_000)
    write_targets(stack.catalogue, span, gone)
    await publish_totals(
        stack, [sold(7, long_ago), sold(10, last), sold(20, first), *watermarks()]
    )
    await stack.start("alerting")
    await wait_actual(stack, gone=10, span=1_030)
    row = await wait_status(stack, "missed", target_id="test-gone")
    assert (row["measure"], row["period"]) == ("flow", f"{last:%Y-%m}")
    assert (row["start_date"], row["due"]) == (last.replace(day=1), last)
    await stack.kill("alerting")
    # One that is added later knows what was copied before it.
    this = in_period("test-this", f"{first:%Y-%m}", 1_000, succeeds="test-gone")
    write_targets(stack.catalogue, span, gone, this)
    await stack.start("alerting")
    await wait_actual(stack, gone=10, this=20, span=1_030)
    # Late and corrected days: each target takes what is its own.
    late = [sold(9, long_ago, revision=2), sold(15, last, revision=2)]
    late += [sold(18, first, revision=2), sold(1, today, revision=3)]
    await publish_totals(stack, [*late, *watermarks(revision=3)])
    new = 1 if today == first else 19
    await wait_actual(stack, gone=15, this=new, span=1_015 + new)
    assert (await status_of(stack, "test-gone"))["succeeded_by"] == "test-this"
    assert (await status_of(stack, "test-this"))["succeeds"] == "test-gone"
    rows = await stack.fetch("SELECT DISTINCT day FROM alerting.unit_day")
    assert {row["day"] for row in rows} == {long_ago, last, first, today}
