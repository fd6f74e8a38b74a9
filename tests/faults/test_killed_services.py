"""SIGKILL at any moment costs and doubles nothing."""

import asyncio

import pytest

from tests.support.auditor import Auditor, check_equation
from tests.support.load import Load
from tests.support.stack import Stack

pytestmark = pytest.mark.timeout(240)
SERVICES = ("ingest", "aggregation", "alerting")


async def test_killing_each_service_under_load_keeps_every_figure(
    stack: Stack,
) -> None:
    """Each service dies twice while two agencies send; the recount is exact."""
    await stack.start(*SERVICES)
    auditor = Auditor()
    loads = [
        Load(stack, auditor, agency, 120, 100, seed, pause_seconds=0.1)
        for seed, agency in enumerate(("bank", "census"))
    ]

    async def kill_in_turn() -> None:
        for service in (*SERVICES, *SERVICES):
            await asyncio.sleep(1.5)
            await stack.kill(service)
            await check_equation(stack)
            stack.spawn(service)

    async with asyncio.TaskGroup() as group:
        for load in loads:
            group.create_task(load.run())
        group.create_task(kill_in_turn())
    await stack.wait_ready("aggregation", seconds=60)
    # A killed ingest may have appended what it did not acknowledge, so the log can
    # hold more copies than were acknowledged, never fewer.
    await settle(stack, auditor)
    await auditor.check(stack)
    await check_equation(stack)
    assert sum(load.retries for load in loads) > 0


async def settle(stack: Stack, auditor: Auditor) -> None:
    """Wait until aggregation has applied everything that is in the log."""
    deadline = asyncio.get_running_loop().time() + 60
    while asyncio.get_running_loop().time() < deadline:
        _, metrics = await stack.get("aggregation", "/metrics")
        lags = [
            float(line.rpartition(" ")[2])
            for line in metrics.splitlines()
            if line.startswith("uptake_aggregation_lag_records{")
        ]
        applied = await stack.applied()
        if lags and not any(lags) and applied >= auditor.copies_sent:
            return
        await asyncio.sleep(0.2)
    pytest.fail(f"lag remains; {await stack.applied()} of {auditor.copies_sent}")
