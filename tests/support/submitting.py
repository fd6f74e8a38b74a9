"""Agencies that write to their own topics, and what they read of refusals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord

from shared.events.topics import REFUSED, REJECTED, SUBMISSIONS
from shared.kafka.connection import connection
from shared.kafka.whole_topic import open_topic
from shared.settings import KafkaSettings

STRUCTURED = [("content-type", b"application/cloudevents+json")]


@dataclass(frozen=True, slots=True)
class Sent:
    """A record as an agency sends it."""

    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


def structured(event: Mapping[str, object]) -> Sent:
    """Write an event as a structured record."""
    return Sent(json.dumps(event).encode(), STRUCTURED)


def binary(event: Mapping[str, object]) -> Sent:
    """Write an event as a binary record."""
    headers = [
        (f"ce_{name}", str(value).encode())
        for name, value in event.items()
        if name != "data"
    ]
    value = json.dumps(event["data"]).encode()
    return Sent(value, [*headers, ("content-type", b"application/json")])


async def submit(
    settings: KafkaSettings, agency: str, *records: Sent, packed: str | None = None
) -> None:
    """Write records to an agency's topic, in order, until the broker confirmed.

    Args:
        settings: How the agency reaches Kafka.
        agency: Whose topic.
        records: What to write.
        packed: How the client compresses.
    """
    producer = AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=settings.kafka_idempotence,
        compression_type=packed,
        linger_ms=5,
        request_timeout_ms=5_000,
    )
    try:
        await producer.start()
        pending = [
            await producer.send(
                f"{SUBMISSIONS}{agency}", each.value, headers=list(each.headers)
            )
            for each in records
        ]
        for confirmation in pending:
            await confirmation
    finally:
        await producer.stop()


async def read_refused(settings: KafkaSettings, agency: str) -> list[dict[str, Any]]:
    """Return what an agency was told, in order."""
    return [message async for message in _messages(settings, f"{REFUSED}{agency}")]


async def read_rejected(settings: KafkaSettings) -> list[dict[str, Any]]:
    """Return what operators were told, in order."""
    return [message async for message in _messages(settings, REJECTED)]


async def _messages(settings: KafkaSettings, topic: str) -> Any:  # noqa: ANN401 -- JSON
    async with open_topic(settings, topic) as records:
        record: ConsumerRecord
        async for record in records:
            yield json.loads(record.value or b"null")
