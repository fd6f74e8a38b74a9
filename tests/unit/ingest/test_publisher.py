"""Room for records that wait for Kafka: bounded, and given back."""

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder

from services.ingest import publisher as module
from services.ingest.core.admission import Admitted
from services.ingest.publisher import LogPublisher
from shared.errors import TransientError
from shared.kafka.producer import Pending, SteadyProducer, Submit
from shared.settings import KafkaSettings
from tests.support.stack import eventually


class SlowLog:
    """A log that confirms when it is told to."""

    def __init__(self) -> None:
        self.may_confirm = asyncio.Event()
        self.asked = 0

    async def confirm(self, *_: object, **__: object) -> list[object]:
        """Wait."""
        self.asked += 1
        await self.may_confirm.wait()
        return []


def make(log: SlowLog) -> LogPublisher:
    """Make a publisher that writes to a log."""
    settings = KafkaSettings(kafka_bootstrap_servers="nowhere:9")
    made = LogPublisher(settings, ack_timeout_seconds=5)
    made._producer = cast("SteadyProducer", log)
    return made


def events(size_bytes: int) -> list[Admitted]:
    """Make one event whose record has so many bytes, as JSON."""
    return [Admitted("e-1", {"id": "x" * (size_bytes - len('{"id":""}'))})]


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it a sender hears at once that nothing was sent; nothing piles up."""
    monkeypatch.setattr(module, "WAITING_BYTES_MAX", 1_000)
    log = SlowLog()
    publisher = make(log)
    async with asyncio.TaskGroup() as group:
        for agency in ("bank", "shop"):
            group.create_task(publisher.append(agency, events(500)))
        await asyncio.sleep(0)
        with pytest.raises(TransientError, match="nothing was sent"):
            await publisher.append("bank", events(20))

        async def are_asked() -> bool:
            return log.asked == 2

        await eventually(are_asked, what="both are sent")
        log.may_confirm.set()
    await publisher.append("bank", events(1_000))
    assert publisher._waiting_bytes == 0


async def test_one_request_has_room_however_long_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else it could never be sent; its length has a limit of its own."""
    monkeypatch.setattr(module, "WAITING_BYTES_MAX", 10)
    log = SlowLog()
    log.may_confirm.set()
    await make(log).append("bank", events(500))
    assert log.asked == 1


async def test_room_is_given_back_when_kafka_does_not_confirm() -> None:
    """Also where the request was given up."""
    publisher = make(SlowLog())
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(publisher.append("bank", events(500)))
        await asyncio.sleep(0)
        assert publisher._waiting_bytes == 500
        waiting.cancel()
    assert publisher._waiting_bytes == 0


@dataclass(slots=True)
class CountingClient:
    """A producer of the library, as far as appending uses it; it confirms at once.

    Attributes:
        batches: How many records each whole batch had that was handed over.
        singles: How many records were handed over alone.
    """

    batch_bytes_max: int = 1_000_000
    batches: list[int] = field(default_factory=list)
    singles: int = 0

    def create_batch(self) -> BatchBuilder:
        """Make a batch of the library's own."""
        return BatchBuilder(self.batch_bytes_max, 0, is_transactional=False)

    async def partitions_for(self, _: str) -> set[int]:
        """Name the log's partitions."""
        return {0, 1, 2, 3}

    async def send_batch(
        self, batch: BatchBuilder, _: str, *, partition: int
    ) -> asyncio.Future[str]:
        """Take a batch."""
        assert partition in {0, 1, 2, 3}
        self.batches.append(batch.record_count())
        return self._confirmed()

    async def send(self, *_: object, **__: object) -> asyncio.Future[str]:
        """Take a record."""
        self.singles += 1
        return self._confirmed()

    def _confirmed(self) -> asyncio.Future[str]:
        confirmation: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        confirmation.set_result("durable")
        return confirmation


@dataclass(slots=True)
class Handing:
    """Hands what is submitted to a client, and nothing else."""

    client: CountingClient

    async def confirm(self, submit: Submit, *, timeout_seconds: float) -> Pending:
        """Submit it."""
        assert 0 < timeout_seconds <= 5
        pending: Pending = []
        await submit(self.client, pending)
        return pending


async def hand_over(client: CountingClient, count: int, size_bytes: int = 100) -> None:
    """Append so many events."""
    publisher = make(SlowLog())
    publisher._producer = cast("SteadyProducer", Handing(client))
    await publisher.append("bank", events(size_bytes) * count)


async def test_batch_is_one_request_to_the_producer() -> None:
    """A thousand events are handed over as one batch, not as a thousand records."""
    client = CountingClient()
    await hand_over(client, 1_000)
    assert (client.batches, client.singles) == ([1_000], 0)


async def test_batch_that_is_too_long_for_one_is_as_few_as_can_be() -> None:
    """All of it, none of it twice."""
    client = CountingClient(batch_bytes_max=10_000)
    await hand_over(client, 100, size_bytes=1_000)
    assert sum(client.batches) == 100
    assert len(client.batches) <= 15
    assert client.singles == 0


async def test_single_events_that_come_together_are_one_request() -> None:
    """A request to the broker for each would cost ten times as much."""
    client = CountingClient()
    publisher = make(SlowLog())
    publisher._producer = cast("SteadyProducer", Handing(client))
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(publisher.append("bank", events(100)))
    assert (client.batches, client.singles) == ([10], 0)
