"""Kafka away: 503, nothing remembered; the retried event counts once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.cli.embedded.ports import free_port
from tests.conftest import IS_APACHE_KAFKA, new_broker
from tests.support.auditor import Auditor
from tests.support.catalogues import copy_catalogue
from tests.support.events import THANH_HOA, opened
from tests.support.load import Load
from tests.support.stack import Stack
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def proxied(
    database: str, tmp_path: Path
) -> AsyncIterator[tuple[Stack, TcpProxy]]:
    """Prepare a stack whose every connection to the broker can be cut."""
    port = free_port()
    broker = new_broker(tmp_path / "broker", advertised_port=port)
    proxy = TcpProxy(broker.port, port=port)
    await proxy.start()
    async with broker:
        stack = Stack(
            broker=broker,
            bootstrap_servers=f"127.0.0.1:{proxy.port}",
            dsn=database,
            catalogue=copy_catalogue(tmp_path / "catalogue"),
            folder=tmp_path,
            is_embedded=not IS_APACHE_KAFKA,
            overrides={"UPTAKE_ACK_TIMEOUT_SECONDS": "1.5"},
        )
        await stack.migrate()
        yield stack, proxy
        await stack.stop()
        await proxy.stop()


async def test_cut_connection_gives_503_and_the_retry_counts_once(
    proxied: tuple[Stack, TcpProxy],
) -> None:
    """No 202 without Kafka; after its return one retry is enough and counts once."""
    stack, proxy = proxied
    await stack.start("ingest", "aggregation")
    assert (await stack.post(opened(1))).status == 202
    await proxy.cut()
    lost = opened(10)
    answer = await stack.post(lost)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.body["title"] == "The log did not confirm"
    await proxy.restore()
    await retry_until_taken(stack, lost)
    await retry_until_taken(stack, lost)
    await wait_total(stack, 11)


async def test_lost_acknowledgements_under_load_count_once(
    proxied: tuple[Stack, TcpProxy],
) -> None:
    """Appended but unconfirmed batches are retried by the sender; figures exact."""
    stack, proxy = proxied
    await stack.start("ingest", "aggregation")
    auditor = Auditor()
    load = Load(stack, auditor, "bank", 40, 50, seed=7, pause_seconds=0.05)

    async def disturb() -> None:
        for _ in range(3):
            await asyncio.sleep(1)
            proxy.stall(requests=False)
            await asyncio.sleep(2)
            await proxy.restore()
            proxy.reset_connections()

    async with asyncio.TaskGroup() as group:
        group.create_task(load.run())
        group.create_task(disturb())
    assert load.retries > 0
    await wait_total(stack, sum(auditor.expected().values()))
    await auditor.check(stack)


@pytest.mark.kafka
async def test_stopped_kafka_comes_back_with_everything(stack: Stack) -> None:
    """A stop and a crash of the broker: 503 meanwhile, then exact."""
    await stack.start("ingest", "aggregation")
    auditor = Auditor()
    load = Load(stack, auditor, "bank", 60, 50, seed=3, pause_seconds=0.2)

    async def disturb() -> None:
        await asyncio.sleep(2)
        await stack.broker.stop()
        answer = await stack.post(opened(1))
        assert answer.status == 503
        await stack.broker.restart()
        await asyncio.sleep(2)
        await stack.broker.kill()
        await stack.broker.restart()

    async with asyncio.TaskGroup() as group:
        group.create_task(load.run())
        group.create_task(disturb())
    await stack.wait_ready("aggregation", seconds=60)
    applied_at_least = len(auditor.effects)
    deadline = asyncio.get_running_loop().time() + 60
    while await stack.applied() < applied_at_least:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.2)
    await asyncio.sleep(1)
    expected = sum(auditor.expected().values())
    nation, _ = await stack.total("cashless_accounts", "VN")
    # The one event of the 503 is of unknown fate and was not retried.
    assert nation - expected in (0, 1)


async def retry_until_taken(stack: Stack, body: dict[str, object]) -> None:
    """Send until 202, as a client does on 503."""
    deadline = asyncio.get_running_loop().time() + 30
    while (answer := await stack.post(body)).status != 202:
        assert answer.status == 503, answer
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.3)


async def wait_total(stack: Stack, expected: int) -> None:
    """Wait until the province has a total, and see that it stays."""
    deadline = asyncio.get_running_loop().time() + 60
    while (await stack.total("cashless_accounts", THANH_HOA))[0] != expected:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.2)
    await asyncio.sleep(0.5)
    assert (await stack.total("cashless_accounts", THANH_HOA))[0] == expected
