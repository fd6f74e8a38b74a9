"""Alerts in a real Alertmanager."""

import os
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from services.cli.embedded.ports import LOOPBACK, free_port
from tests.support.debian_servers import PROJECT, Alertmanager
from tests.support.events import now, opened
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

pytestmark = [pytest.mark.timeout(180)]
CONFIG = (PROJECT / "deploy" / "alertmanager" / "alertmanager.yml").read_text("utf-8")


@pytest.fixture
async def alertmanager(tmp_path: Path) -> AsyncIterator[Alertmanager]:
    """Run Debian's Alertmanager with the configuration that ships."""
    async with Alertmanager(tmp_path / "alertmanager", CONFIG) as server:
        yield server


async def alerts_of(server: Alertmanager) -> list[dict[str, Any]]:
    """Ask Alertmanager which alerts are active."""
    url = f"{server.url}/api/v2/alerts"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 200
        found: list[dict[str, Any]] = await answer.json()
        return found


async def wait_active(server: Alertmanager, count: int) -> list[dict[str, Any]]:
    """Wait until so many alerts are active; return them."""

    async def is_so() -> bool:
        return len(await alerts_of(server)) == count

    await eventually(is_so, what=f"{count} active alerts")
    return await alerts_of(server)


async def wait_told(stack: Stack) -> None:
    """Wait until aggregation has published what it counted."""

    async def is_told() -> bool:
        return not await stack.fetch("SELECT FROM aggregation.outbox_change")

    await eventually(is_told, what="an empty outbox of totals")


@pytest.mark.debian
async def test_lagging_target_reaches_alertmanager_and_resolves_there(
    stack: Stack, alertmanager: Alertmanager
) -> None:
    """From an event at the door to an alert, and back when the figures catch up."""
    write_targets(stack.catalogue, target(goal=1_000))
    stack.overrides["UPTAKE_ALERTMANAGER_URL"] = alertmanager.url
    await stack.start("ingest", "aggregation")
    day = now() - timedelta(days=20)
    assert (await stack.post(opened(100, at=day))).status == 202
    await stack.wait_applied(1)
    await wait_told(stack)
    # Not before, or the alert may fire of nothing counted, and say so for a while.
    await stack.start("alerting")
    await wait_status(stack, "lagging", actual=100)
    (alert,) = await wait_active(alertmanager, 1)
    assert alert["labels"] == {
        "alertname": "TargetLagging",
        "target": "test-cashless",
        "indicator": "cashless_accounts",
        "locality": "38",
        "level": "province",
        "province": "38",
        "due": str(target()["due"]),
        "severity": "warning",
    }
    assert "100 against 500" in alert["annotations"]["summary"]
    assert "100 so với 500" in alert["annotations"]["summary_vi"]
    assert (PROJECT / alert["annotations"]["runbook"]).is_file()
    ends_at = datetime.fromisoformat(alert["endsAt"])
    assert ends_at - now() > timedelta(hours=1)
    assert (await stack.post(opened(600, at=day))).status == 202
    await wait_alert(stack, "resolved")
    await wait_active(alertmanager, 0)


@pytest.mark.debian
async def test_alert_fires_again_in_an_alertmanager_that_lost_everything(
    stack: Stack, alertmanager: Alertmanager
) -> None:
    """Firing alerts are sent again and again, so an empty one soon knows them."""
    write_targets(stack.catalogue, target())
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    stack.overrides["UPTAKE_ALERTMANAGER_URL"] = alertmanager.url
    stack.overrides["UPTAKE_ALERT_RESEND_SECONDS"] = "1"
    await stack.start("alerting")
    (before,) = await wait_active(alertmanager, 1)
    await alertmanager.stop()
    await alertmanager.start()
    (after,) = await wait_active(alertmanager, 1)
    assert after["startsAt"] == before["startsAt"]


async def test_what_ended_while_alertmanager_was_away_is_told_as_ended(
    stack: Stack,
) -> None:
    """No queued transition is delivered late; failures show in the metrics."""
    write_targets(stack.catalogue, target())
    port = free_port()
    stack.overrides["UPTAKE_ALERTMANAGER_URL"] = f"http://{LOOPBACK}:{port}"
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    await stack.start("alerting")
    await wait_alert(stack, "firing")

    async def has_failed() -> bool:
        _, text = await stack.get("alerting", "/metrics")
        return "uptake_alert_delivery_failures_total 0.0" not in text

    await eventually(has_failed, what="a failed delivery in the metrics")
    assert (await stack.get("alerting", "/health/ready"))[0] == 200
    await publish_totals(
        stack, [day_total(700, days_ago=20, revision=2), *watermarks(revision=2)]
    )
    await wait_alert(stack, "resolved")
    received: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        received.extend(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/api/v2/alerts", take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()

        async def has_received() -> bool:
            return bool(received)

        await eventually(has_received, what="a delivery")
        assert len(received) == 1
        ends_at = datetime.fromisoformat(received[0]["endsAt"])
        assert datetime.fromisoformat(received[0]["startsAt"]) < ends_at < now()
        os.kill(stack.children["alerting"].pid, 15)
        assert await stack.children["alerting"].wait(10) == 0
    finally:
        await runner.cleanup()
