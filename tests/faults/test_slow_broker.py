"""A slow broker makes senders wait, not memory grow; a stop answers what is open."""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.cli.embedded.ports import free_port
from tests.conftest import IS_APACHE_KAFKA, new_broker
from tests.support.auditor import Auditor
from tests.support.catalogues import copy_catalogue
from tests.support.events import THANH_HOA, opened
from tests.support.load import Load
from tests.support.stack import Answer, Stack, eventually
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.timeout(300)
SENDERS = 40
BATCH = 1_000
BYTES_PER_SECOND = 200_000
SLOW_SECONDS = 8.0
MEMORY_BYTES_MAX = 200 * 1024 * 1024
EXIT_SECONDS_MAX = 30
RECORD_BYTES_MIN = 300


@pytest.fixture
async def proxied(
    database: str, tmp_path: Path
) -> AsyncIterator[tuple[Stack, TcpProxy]]:
    """Prepare a stack whose ingest reaches the broker by a proxy, others directly."""
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
            overrides={
                "UPTAKE_ACK_TIMEOUT_SECONDS": "2",
                # Nobody is held back by anything but the broker.
                "UPTAKE_AGENCY_EVENTS_PER_SECOND": "1000000",
                "UPTAKE_AGENCY_BURST_EVENTS": "100000000",
            },
        )
        await stack.migrate()
        yield stack, proxy
        await stack.stop()
        await proxy.stop()


def peak_bytes(stack: Stack) -> int:
    """Return the most memory that ingest ever had."""
    status = Path(f"/proc/{stack.children['ingest'].pid}/status").read_text("ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


async def test_slow_broker_makes_senders_wait_and_not_memory_grow(
    proxied: tuple[Stack, TcpProxy],
) -> None:
    """Forty clients press on what takes 0.2 MB/s: bounded memory, then exact."""
    stack, proxy = proxied
    await stack.start("ingest", "aggregation")
    auditor = Auditor()
    loads = [
        Load(stack, auditor, "bank", 1_000, BATCH, seed, pause_seconds=0.1)
        for seed in range(SENDERS)
    ]

    async def slow_for_a_while() -> None:
        proxy.slow(BYTES_PER_SECOND)
        await asyncio.sleep(SLOW_SECONDS)
        for load in loads:
            load.is_over = True
        await proxy.restore()

    async with asyncio.TaskGroup() as group:
        for load in loads:
            group.create_task(load.run())
        group.create_task(slow_for_a_while())
    peak = peak_bytes(stack)
    retries = sum(load.retries for load in loads)
    print(f"peak {peak / 2**20:.0f} MiB, {retries} retries")  # noqa: T201 -- the figure
    assert retries > 0
    assert peak <= MEMORY_BYTES_MAX, f"{peak / 2**20:.0f} MiB"

    async def is_counted() -> bool:
        return (await stack.classes())["counted"] >= len(auditor.effects)

    await eventually(is_counted, seconds=120, what="all is counted")
    await auditor.check(stack)


async def test_stop_answers_what_is_open_and_sends_the_rest_away(
    proxied: tuple[Stack, TcpProxy],
) -> None:
    """SIGTERM while Kafka is slow to confirm: 202 for the old, 503 for the new."""
    stack, proxy = proxied
    stack.overrides["UPTAKE_ACK_TIMEOUT_SECONDS"] = "20"
    await stack.start("ingest")
    assert (await stack.post(opened(1))).status == 202
    proxy.stall(requests=False)
    child = stack.children["ingest"]
    passed_before = proxy.request_bytes_total

    async def is_with_the_broker() -> bool:
        # Nobody else asks it anything; only its answer is held back.
        return proxy.request_bytes_total > passed_before + RECORD_BYTES_MIN

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(stack.post(opened(10)))
        await eventually(is_with_the_broker, what="a request is open")
        child.send(signal.SIGTERM)

        async def is_draining() -> bool:
            return (await stack.get("ingest", "/health/ready"))[0] == 503

        await eventually(is_draining, what="not ready any more")
        late: Answer = await stack.post(opened(100))
        assert late.status == 503
        assert late.headers["Retry-After"] == "2"
        assert late.body["title"] == "The service is stopping"
        await proxy.restore()
    assert waiting.result().status == 202
    assert await child.wait(EXIT_SECONDS_MAX) == 0
    await stack.start("aggregation")
    await stack.wait_applied(2)
    assert await stack.total("cashless_accounts", THANH_HOA) == (11, 0)
