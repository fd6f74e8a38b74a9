"""What Prometheus thinks of our metrics."""

import subprocess

import pytest

from tests.support.debian_servers import find_tool
from tests.support.events import opened
from tests.support.stack import Stack

SERVICES = ("ingest", "aggregation", "alerting", "board")


@pytest.mark.debian
@pytest.mark.timeout(90)
async def test_metrics_of_every_service_pass_promtool(stack: Stack) -> None:
    """`promtool check metrics` finds nothing to say, with every family in use."""
    await stack.start(*SERVICES)
    await stack.post([opened(3), opened(-1)])
    await stack.wait_applied(1)
    for service in SERVICES:
        status, metrics = await stack.get(service, "/metrics")
        assert status == 200
        assert check_metrics(metrics) == "", service


def check_metrics(metrics: str) -> str:
    """Return what `promtool check metrics` says of an exposition."""
    checked = subprocess.run(
        [find_tool("promtool"), "check", "metrics"],
        input=metrics,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert checked.returncode == 0, checked.stderr
    return checked.stderr
