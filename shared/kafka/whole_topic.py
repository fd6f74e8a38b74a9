"""A topic from its beginning to its end, read alone and by hand-assigned partitions.

Ends are taken from the answers to fetches: the embedded broker answers the question
for end offsets unreliably.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.errors import FatalError, TransientError
from shared.kafka.broker import admin_client, make_consumer, outages_as_transient
from shared.settings import KafkaSettings

WAIT_SECONDS_MAX: Final = 20.0
POLL_SECONDS: Final = 0.02
POLL_TIMEOUT_MS: Final = 250
POLL_RECORDS_MAX: Final = 500


async def read_ends(
    settings: KafkaSettings, topic: str, next_offsets: Mapping[int, int]
) -> dict[int, int]:
    """Return the offset behind the last record of each partition.

    Args:
        settings: How to reach Kafka.
        topic: The topic.
        next_offsets: Where to fetch, by partition; from the beginning if not named.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: The topic is not there.
    """
    async with _assigned(settings, topic, next_offsets) as (consumer, partitions):
        ends = await _await_ends(consumer, partitions)
        return {one.partition: end for one, end in ends.items()}


@asynccontextmanager
async def open_topic(
    settings: KafkaSettings, topic: str
) -> AsyncIterator[AsyncIterator[ConsumerRecord]]:
    """Open a topic to read it once, up to where it ended when it was opened.

    Yields:
        Records, in order within each partition. What is written meanwhile is left
        out, so that whoever writes to the topic he reads comes to an end.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: The topic is not there.
    """
    async with _assigned(settings, topic, {}) as (consumer, partitions):
        ends = await _await_ends(consumer, partitions)
        yield _read_until(consumer, ends)


@asynccontextmanager
async def _assigned(
    settings: KafkaSettings, topic: str, next_offsets: Mapping[int, int]
) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    partitions = [
        TopicPartition(topic, number)
        for number in await _list_partitions(settings, topic)
    ]
    consumer = make_consumer(settings, group_id=None)
    try:
        async with outages_as_transient():
            await consumer.start()
            consumer.assign(partitions)
            for partition in partitions:
                consumer.seek(partition, next_offsets.get(partition.partition, 0))
            yield consumer, partitions
    finally:
        await consumer.stop()


async def _read_until(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> AsyncIterator[ConsumerRecord]:
    reached = dict.fromkeys(ends, 0)
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while any(reached[one] < end for one, end in ends.items()):
        fetched = await consumer.getmany(
            timeout_ms=POLL_TIMEOUT_MS, max_records=POLL_RECORDS_MAX
        )
        for partition, records in fetched.items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record
        for partition in ends:
            # Not the last record's offset: the last ones may have been deleted.
            reached[partition] = await consumer.position(partition)
        if fetched:
            deadline = time.monotonic() + WAIT_SECONDS_MAX
        elif time.monotonic() >= deadline:
            raise TransientError(f"kafka sends no more of {next(iter(ends)).topic}")


async def _await_ends(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> dict[TopicPartition, int]:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        ends = {one: consumer.highwater(one) for one in partitions}
        if all(end is not None for end in ends.values()):
            return ends
        if time.monotonic() >= deadline:
            missing = [one.partition for one, end in ends.items() if end is None]
            raise TransientError(f"kafka does not answer for partitions {missing}")
        await asyncio.sleep(POLL_SECONDS)


async def _list_partitions(settings: KafkaSettings, topic: str) -> list[int]:
    async with admin_client(settings) as admin:
        for found in await admin.describe_topics([topic]):
            if found["topic"] == topic and not found["error_code"]:
                return sorted(part["partition"] for part in found["partitions"])
    raise FatalError(f"topic {topic} does not exist; run `uptake migrate`")
