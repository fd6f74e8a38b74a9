"""What the board tells of a target's course and of its alerts."""

import json

import pytest

from tests.contract.test_board_documents import check, named_schema
from tests.support.board import Board
from tests.support.stack import Stack, eventually
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
FORECAST = """
UPDATE alerting.forecast AS f
SET day = current_date - 1, p10 = '2030-01-01', p50 = '2030-06-01', miss_bp = 9500,
    reason = NULL, made_at = now(), next_forecast_at = 'infinity', goal = t.goal,
    unit_id = t.unit_id, due = t.due,
    ceiling = CASE t.measure WHEN 'stock' THEN t.population END
FROM alerting.target AS t
WHERE t.target = f.target
RETURNING f.day
"""


GIVEN_UP = """
INSERT INTO alerting.delivery (
    receiver, channel, fingerprint, state, since, message_id, message, queued_at,
    dead_at, reason
)
SELECT 'hook', 'webhook', fingerprint, state, state_since, 'x', '', now(), now(), 'old'
FROM alerting.alert WHERE kind = 'TargetLagging'
"""


async def test_target_says_where_it_is_heading_as_the_command_does(
    stack: Stack,
) -> None:
    """How far behind, what is needed, by when it is there; what nobody was told."""
    write_targets(stack.catalogue, target())
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    await stack.start("alerting", "board")
    await wait_status(stack, "lagging", actual=100)

    async def is_forecast() -> bool:
        # A row is there once alerting has looked.
        return bool(await stack.fetch(FORECAST))

    await eventually(is_forecast, what="a forecast")
    board = Board(stack)
    status, body = await board.get("/v1/targets")
    assert status == 200, body
    check(named_schema("TargetsV1"), body)
    (row,) = body["targets"]
    assert row["behind"] == row["expected"] - row["actual"] > 0
    assert row["required_per_day"] > row["achieved_7_per_day"]
    assert (row["p10"], row["p50"]) == ("2030-01-01", "2030-06-01")
    assert (row["p90"], row["miss_bp"], row["no_forecast"]) == (None, 9_500, None)
    assert row["forecast_day"]
    ran = await run_uptake(stack, "targets", "--json")
    (shown,) = json.loads(ran.out)["targets"]
    assert shown.keys() == row.keys()
    same = row.keys() - {"evaluated_at", "status_since"}
    assert {name: shown[name] for name in same} == {name: row[name] for name in same}
    await wait_alert(stack, "firing")
    await stack.fetch(GIVEN_UP)
    status, body = await board.get("/v1/alerts")
    assert status == 200, body
    check(named_schema("AlertsV1"), body)
    dead = {each["kind"]: each["deliveries_dead"] for each in body["alerts"]}
    assert dead["TargetLagging"] == 1
    ran = await run_uptake(stack, "alerts")
    assert "1 not delivered, given up: uptake alerts deliveries" in ran.out
