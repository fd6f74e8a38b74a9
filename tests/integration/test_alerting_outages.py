"""Alerting while Postgres or Kafka is away: it waits, says so, and goes on."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from services.cli.embedded.ports import LOOPBACK, free_port
from tests.conftest import IS_APACHE_KAFKA, new_broker
from tests.support.catalogues import copy_catalogue
from tests.support.stack import Stack, eventually
from tests.support.tcp_proxy import TcpProxy
from tests.support.totals import (
    day_total,
    publish_totals,
    target,
    wait_alert,
    wait_notices,
    wait_status,
    watermarks,
    write_targets,
)

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def proxied(
    database: str, tmp_path: Path
) -> AsyncIterator[tuple[Stack, TcpProxy, TcpProxy]]:
    """Prepare a stack whose service reaches both servers through proxies.

    Yields:
        The stack, the proxy before Kafka, the proxy before Postgres.
    """
    port = free_port()
    broker = new_broker(tmp_path / "broker", advertised_port=port)
    kafka_proxy = TcpProxy(broker.port, port=port)
    parts = urlsplit(database)
    postgres_proxy = TcpProxy(parts.port or 0)
    async with kafka_proxy, postgres_proxy, broker:
        login = parts.netloc.rpartition("@")[0]
        stack = Stack(
            broker=broker,
            bootstrap_servers=f"{LOOPBACK}:{port}",
            dsn=database,
            catalogue=copy_catalogue(tmp_path / "catalogue"),
            folder=tmp_path,
            is_embedded=not IS_APACHE_KAFKA,
        )
        await stack.migrate()
        netloc = f"{login}@{LOOPBACK}:{postgres_proxy.port}"
        stack.overrides["UPTAKE_POSTGRES_DSN"] = urlunsplit(
            parts._replace(netloc=netloc)
        )
        yield stack, kafka_proxy, postgres_proxy
        await stack.stop()


async def wait_ready_says(stack: Stack, words: str) -> None:
    """Wait until the service says what it waits for."""

    async def says_it() -> bool:
        return words in (await stack.get("alerting", "/health/ready"))[1]

    await eventually(says_it, what=f"ready says {words}")


async def test_copy_goes_on_after_postgres_was_away(
    proxied: tuple[Stack, TcpProxy, TcpProxy],
) -> None:
    """Nothing is skipped: the batch in hand is applied when Postgres is back."""
    stack, _, postgres = proxied
    write_targets(stack.catalogue, target())
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    await stack.start("alerting")
    await wait_alert(stack, "firing")
    await postgres.cut()
    await publish_totals(
        stack, [day_total(700, days_ago=20, revision=2), *watermarks(revision=2)]
    )
    await wait_ready_says(stack, "postgres")
    await postgres.restore()
    await wait_status(stack, "ahead", actual=700)
    await wait_alert(stack, "resolved")
    await stack.wait_ready("alerting")
    await wait_notices(stack, 4)


async def test_alerts_live_on_while_kafka_is_away(
    proxied: tuple[Stack, TcpProxy, TcpProxy],
) -> None:
    """The clock goes on; notices wait in the outbox and come out once each."""
    stack, kafka, _ = proxied
    write_targets(stack.catalogue, target(wait="6s"))
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    await stack.start("alerting")
    await wait_alert(stack, "pending")
    await kafka.cut()
    await wait_alert(stack, "firing")
    await wait_ready_says(stack, "kafka has not answered")
    await kafka.restore()
    await stack.wait_ready("alerting", seconds=60)
    notices = await wait_notices(stack, 2)
    assert [notice.data.state for notice in notices] == ["pending", "firing"]


async def test_service_started_before_its_servers_waits_for_them(
    proxied: tuple[Stack, TcpProxy, TcpProxy],
) -> None:
    """Alive at once, ready when both are there."""
    stack, kafka, postgres = proxied
    write_targets(stack.catalogue, target())
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    await kafka.cut()
    await postgres.cut()
    stack.spawn("alerting")

    async def is_alive() -> bool:
        try:
            return (await stack.get("alerting", "/health/live"))[0] == 200
        except OSError:
            return False

    await eventually(is_alive, what="alive")
    await wait_ready_says(stack, "kafka is away")
    await kafka.restore()
    await wait_ready_says(stack, "postgres does not answer")
    await postgres.restore()
    await stack.wait_ready("alerting")
    await wait_status(stack, "lagging", actual=100)
