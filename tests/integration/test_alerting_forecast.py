"""Forecasts by the running service: made once a day, stored, told."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.test_alerting_paths import in_period, sold, write_population
from tests.support.stack import Stack, eventually
from tests.support.totals import (
    Total,
    day_total,
    local_today,
    publish_totals,
    stated,
    target,
    wait_alert,
    wait_status,
    watermarks,
    write_targets,
)
from tests.support.uptake_command import run_uptake

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

OTHER = "15976"


def half_as_fast() -> list[Total]:
    """Build a hundred days of about 5 a day, on a path that needs 10 from now on."""
    days: list[Total] = [day_total(4 + ago % 3, days_ago=ago) for ago in range(1, 101)]
    return [*days, stated(250, days_ago=50), *watermarks()]


async def forecasts(stack: Stack) -> dict[str, dict[str, Any]]:
    """Read all forecasts, by target."""
    rows = await stack.fetch("SELECT * FROM reporting.target_forecast")
    return {row["target"]: dict(row) for row in rows}


async def wait_forecasts(stack: Stack, count: int) -> dict[str, dict[str, Any]]:
    """Wait until so many targets have a forecast; return all."""

    async def are_made() -> bool:
        return len(await forecasts(stack)) == count

    await eventually(are_made, seconds=20, what=f"{count} forecasts")
    return await forecasts(stack)


async def test_target_that_will_be_missed_is_at_risk_in_time(stack: Stack) -> None:
    """On its path, not lagging, and yet told: with days, chance, metric and alert."""
    today = local_today()
    write_targets(
        stack.catalogue,
        target(),
        target("test-short", locality=OTHER),
        target("test-later", days_ago=-5),
        target("test-past", days_ago=120),
    )
    await publish_totals(stack, half_as_fast())
    await stack.start("alerting")
    row = await wait_status(stack, "at_risk")
    assert row["position_bp"] > 9_000
    made = await wait_forecasts(stack, 2)
    forecast = made["test-cashless"]
    assert forecast["day"] == today - timedelta(days=1)
    assert forecast["miss_bp"] > 9_900
    # About 500 are missing, and 5 a day come.
    assert abs((forecast["p50"] - today).days - 100) < 10
    assert forecast["p10"] < forecast["p50"] < forecast["p90"]
    assert made["test-short"]["reason"] == "short_history"
    assert made["test-short"]["miss_bp"] is None
    await wait_alert(stack, "firing", kind="TargetAtRisk")
    ran = await run_uptake(stack, "targets", "test-cashless")
    assert f"forecast   P10 {forecast['p10']}" in ran.out, ran

    async def is_shown() -> bool:
        _, text = await stack.get("alerting", "/metrics")
        return 'uptake_target_miss_ratio{target="test-cashless"}' in text

    await eventually(is_shown, what="the chance in the metrics")


async def test_forecast_is_made_once_for_a_day_and_anew_for_another_goal(
    stack: Stack,
) -> None:
    """Neither a restart nor late figures make it again; an edited target does."""
    write_targets(stack.catalogue, target())
    await publish_totals(stack, half_as_fast())
    await stack.start("alerting")
    first = (await wait_forecasts(stack, 1))["test-cashless"]
    await stack.kill("alerting")
    await publish_totals(
        stack, [day_total(50, days_ago=3, revision=2), *watermarks(revision=2)]
    )
    await stack.start("alerting")
    await wait_status(stack, "at_risk", actual=495 + 46)
    assert (await forecasts(stack))["test-cashless"] == first
    await stack.kill("alerting")
    write_targets(stack.catalogue, target(goal=700))
    await stack.start("alerting")

    async def is_anew() -> bool:
        return (await forecasts(stack))["test-cashless"] != first

    await eventually(is_anew, seconds=20, what="a forecast for the other goal")
    anew = (await forecasts(stack))["test-cashless"]
    assert anew["day"] == first["day"]
    assert anew["miss_bp"] < first["miss_bp"]


async def test_population_is_the_ceiling_of_a_stock_and_flows_have_none(
    stack: Stack,
) -> None:
    """What is counted of a flow in its year comes on top of nothing."""
    today = local_today()
    write_population(stack.catalogue, 2_000)
    share = target("test-share") | {"goal": {"percent": 50, "of": "people"}}
    counted = 5 * min(100, (today - today.replace(month=1, day=1)).days)
    flow = in_period("test-flow", str(today.year), counted + 100)
    write_targets(stack.catalogue, share, flow)
    sales = [sold(5, today - timedelta(days=ago)) for ago in range(1, 101)]
    await publish_totals(stack, [*sales, *half_as_fast()])
    await stack.start("alerting")
    made = await wait_forecasts(stack, 2)
    assert (made["test-flow"]["p50"] - today).days in {19, 20}
    assert made["test-share"]["miss_bp"] > 9_900
    rows = await stack.fetch("SELECT target, ceiling FROM alerting.forecast ORDER BY 1")
    assert [tuple(row) for row in rows] == [("test-flow", None), ("test-share", 2_000)]


async def test_nothing_is_forecast_before_the_last_midnight_is_copied(
    stack: Stack,
) -> None:
    """Half a day of figures would look like a slow day."""
    write_targets(stack.catalogue, target())
    old = watermarks()[0].at - timedelta(days=2)
    await publish_totals(stack, [*half_as_fast()[:-4], *watermarks(old)])
    await stack.start("alerting")
    await wait_status(stack, "unknown", reason="platform")
    assert await forecasts(stack) == {}
    await publish_totals(stack, watermarks(revision=2))
    await wait_forecasts(stack, 1)
