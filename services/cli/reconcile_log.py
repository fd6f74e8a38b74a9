"""Where the log ends, per partition of `uptake.events`."""

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.errors import FatalError, TransientError
from shared.events.topics import EVENTS
from shared.kafka.broker import admin_client, make_consumer, outages_as_transient
from shared.settings import KafkaSettings

WAIT_SECONDS_MAX: Final = 20.0
POLL_SECONDS: Final = 0.02


async def read_log_ends(
    settings: KafkaSettings, next_offsets: Mapping[int, int]
) -> dict[int, int]:
    """Return the offset behind the last record of each partition.

    Taken from the answers to fetches: the embedded broker answers the question for
    end offsets unreliably.

    Args:
        settings: How to reach Kafka.
        next_offsets: Where to fetch, by partition; from the beginning if not named.

    Raises:
        TransientError: Kafka does not answer for now.
        FatalError: The topic is not there.
    """
    partitions = [
        TopicPartition(EVENTS, number) for number in await _list_partitions(settings)
    ]
    consumer = make_consumer(settings, group_id=None)
    try:
        async with outages_as_transient():
            await consumer.start()
            consumer.assign(partitions)
            for partition in partitions:
                offset = next_offsets.get(partition.partition, 0)
                consumer.seek(partition, offset)
            return await _await_ends(consumer, partitions)
    finally:
        await consumer.stop()


async def _await_ends(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> dict[int, int]:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        ends = {one.partition: consumer.highwater(one) for one in partitions}
        if all(end is not None for end in ends.values()):
            return ends
        if time.monotonic() >= deadline:
            missing = [number for number, end in ends.items() if end is None]
            raise TransientError(f"kafka does not answer for partitions {missing}")
        await asyncio.sleep(POLL_SECONDS)


async def _list_partitions(settings: KafkaSettings) -> list[int]:
    async with admin_client(settings) as admin:
        for topic in await admin.describe_topics([EVENTS]):
            if topic["topic"] == EVENTS and not topic["error_code"]:
                return sorted(part["partition"] for part in topic["partitions"])
    raise FatalError(f"topic {EVENTS} does not exist; run `uptake migrate`")
