"""`uptake targets explain` and `uptake alerts` on a service that judges."""

import json
from typing import Any

import pytest

from tests.support.stack import Stack
from tests.support.totals import (
    day_total,
    publish_totals,
    target,
    wait_alert,
    wait_status,
    watermarks,
    write_targets,
)
from tests.support.uptake_command import run_uptake

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]


def steps_of(text: str) -> dict[str, Any]:
    """Return an explanation's steps by name."""
    return {one["name"]: one for one in json.loads(text)["steps"]}


async def test_status_and_alert_say_why(stack: Stack) -> None:
    """The arithmetic, by the service's own code, and what comes next."""
    write_targets(stack.catalogue, target(), target("test-later", days_ago=-5))
    await publish_totals(stack, [day_total(250, days_ago=20), *watermarks()])
    await stack.start("alerting")
    row = await wait_status(stack, "lagging", actual=250)
    await wait_alert(stack, "firing")
    ran = await run_uptake(stack, "targets", "explain", "test-cashless")
    assert ran.out.startswith("test-cashless: lagging\n"), ran
    assert "0 + (1,000 - 0) x 50/100 = 500" in ran.out
    assert "(250 - 0) / (500 - 0) = 0.5" in ran.out
    assert "TargetLagging firing since" in ran.out
    assert max(len(line) for line in ran.out.splitlines()) <= 80
    ran = await run_uptake(stack, "targets", "explain", "test-cashless", "--json")
    steps = steps_of(ran.out)
    assert steps["due_now"]["value"] == row["expected"] == 500
    assert steps["actual"]["value"] == 250
    assert steps["position"]["value"] == "1/2"
    assert steps["pace_28"]["value"] == "25/42"
    assert steps["status"]["value"] == "lagging"
    ran = await run_uptake(stack, "targets", "explain", "test-later")
    assert "not_started: yes, starts in 5 days" in ran.out, ran
    ran = await run_uptake(stack, "targets", "explain", "other")
    assert (ran.status, ran.out) == (1, "")
    assert ran.errors == "uptake: no target other; `uptake targets` lists them\n"
    ran = await run_uptake(stack, "alerts")
    assert "test-cashless: lagging, 250 of 500 due now (linear)" in ran.out, ran
    ran = await run_uptake(stack, "alerts", "show", "test-cashless")
    assert "behind     below 0.90, until 0.95" in ran.out, ran
    assert "or when a total changes" in ran.out
    (row,) = json.loads((await run_uptake(stack, "alerts", "--json")).out)["alerts"]
    assert row["looked_at"] < row["next_look_at"]
    ran = await run_uptake(stack, "alerting", "texts")
    assert ran.out.startswith("TargetLagging:\n"), ran
