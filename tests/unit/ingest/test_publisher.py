"""Room for records that wait for Kafka: bounded, and given back."""

import asyncio
from typing import cast

import pytest

from services.ingest import publisher as module
from services.ingest.core.admission import Admitted
from services.ingest.publisher import LogPublisher
from shared.errors import TransientError
from shared.kafka.producer import SteadyProducer
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
