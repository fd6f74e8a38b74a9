"""`ControlMismatch` from the door to `uptake.alerts`, services killed on the way."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.board import Board
from tests.support.catalogues import KEYS
from tests.support.events import event, now, opened, reversal
from tests.support.stack import Stack, eventually
from tests.support.totals import local_today, read_alerts
from tests.support.uptake_command import run_uptake

pytestmark = pytest.mark.timeout(240)

DAY = timedelta(days=1)
KIND = "ControlMismatch"


def claim(count: int) -> dict[str, Any]:
    """State the bank's own figure for yesterday."""
    return event(
        "uptake.control.stated",
        indicator="cashless_accounts",
        count=count,
        day=(local_today() - DAY).isoformat(),
    )


async def send(stack: Stack, *events: dict[str, Any]) -> None:
    """Send events that are taken."""
    assert (await stack.post(list(events))).status == 202


async def wait_state(stack: Stack, state: str, *, episode: int = 1) -> None:
    """Wait until the alert is in a state; services that were killed come back first."""

    async def is_in_it() -> bool:
        rows = await stack.fetch(
            "SELECT state, episode FROM reporting.alert WHERE kind = $1", KIND
        )
        return [tuple(row) for row in rows] == [(state, episode)]

    await eventually(
        is_in_it, seconds=90, what=f"{state}: {stack.log_tail('alerting')}"
    )


async def agencies_told(stack: Stack, agency: str) -> list[str]:
    """Return whom the alerts are about of which the board tells an agency."""
    board = Board(stack)
    status, body = await board.get(f"/v1/alerts?kind={KIND}", key=KEYS[agency])
    assert status == 200, body
    return [each["agency"] for each in body["alerts"]]


async def test_claim_that_differs_is_told_until_it_is_mended(stack: Stack) -> None:
    """By the events that were missing, by a corrected claim, by a voided one."""
    stack.overrides["UPTAKE_CONTROL_FOR_SECONDS"] = "1"
    await stack.start("ingest", "aggregation", "alerting", "board")
    yesterday = now() - DAY
    await send(stack, opened(7, at=yesterday), opened(5), claim(10))
    await wait_state(stack, "firing")
    ran = await run_uptake(stack, "alerts", "show", "bank")
    assert ran.status == 0, ran
    assert "Days that differ: 1." in " ".join(ran.out.split())
    assert await agencies_told(stack, "bank") == ["bank"]
    assert await agencies_told(stack, "census") == []

    await stack.kill("alerting")
    await stack.kill("aggregation")
    await send(stack, opened(3, locality="16000", at=yesterday))
    stack.spawn("aggregation")
    stack.spawn("alerting")
    await wait_state(stack, "resolved")

    wrong = claim(11)
    await send(stack, wrong)
    await wait_state(stack, "firing", episode=2)
    await stack.kill("alerting")
    await send(stack, claim(10))
    stack.spawn("alerting")
    await wait_state(stack, "resolved", episode=2)

    worse = claim(12)
    await send(stack, worse)
    await wait_state(stack, "firing", episode=3)
    await send(stack, reversal(worse))
    await wait_state(stack, "resolved", episode=3)

    states = ["pending", "firing", "kept", "resolved"]

    async def is_empty() -> bool:
        return not await stack.fetch("SELECT FROM alerting.outbox")

    await eventually(is_empty, what="an empty outbox")
    told = [one for one in await read_alerts(stack) if one.data.kind == KIND]
    assert len({one.data.fingerprint for one in told}) == 1
    # At least once: a kill may repeat a message, under the id that it had.
    ids = list(dict.fromkeys(one.id for one in told))
    assert [one.rpartition("/")[2] for one in ids] == 3 * states
    assert {one.subject for one in told} == {"bank"}
