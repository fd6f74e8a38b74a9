"""From totals to a status: the copy, its sums and what they say of targets."""

from decimal import Decimal

import pytest

from tests.support.stack import Stack
from tests.support.totals import (
    day_total,
    publish_totals,
    stated,
    target,
    wait_alert,
    wait_notices,
    wait_status,
    watermarks,
    write_targets,
)

pytestmark = pytest.mark.timeout(120)


async def test_lagging_target_fires_and_resolves_when_totals_catch_up(
    stack: Stack,
) -> None:
    """Totals -> copy -> status -> pending, firing, kept, resolved on uptake.alerts."""
    write_targets(stack.catalogue, target())
    await publish_totals(
        stack, [day_total(100, days_ago=20), day_total(50), *watermarks()]
    )
    await stack.start("alerting")
    row = await wait_status(stack, "lagging", actual=150)
    assert (row["expected"], row["position_bp"]) == (500, 3000)
    assert row["required_per_day"] == 17
    assert row["achieved_7_per_day"] == Decimal("7.14")
    await wait_alert(stack, "firing")
    await publish_totals(
        stack, [day_total(700, days_ago=20, revision=2), *watermarks(revision=2)]
    )
    await wait_status(stack, "ahead", actual=750)
    await wait_alert(stack, "resolved")
    alerts = await wait_notices(stack, 4)
    assert [alert.data.state for alert in alerts] == [
        "pending",
        "firing",
        "kept",
        "resolved",
    ]
    assert len({alert.id for alert in alerts}) == 4


async def test_statement_replaces_effects_up_to_its_day(stack: Stack) -> None:
    """Level = statement + later effects; pace leaves the statement out."""
    write_targets(stack.catalogue, target(goal=2000))
    await publish_totals(
        stack,
        [
            day_total(100, days_ago=20),
            day_total(10, days_ago=5),
            stated(900, days_ago=10),
            *watermarks(),
        ],
    )
    await stack.start("alerting")
    row = await wait_status(stack, "on_track", actual=910)
    assert row["achieved_7_per_day"] == Decimal("1.43")
