"""Appending to the log: durable, or said to be unknown.

Delivery: `append` returns once every record is confirmed by all in-sync replicas. When
it raises, some of the records may be in the log; the sender retries with the same ids,
and aggregation counts them once. Nothing is remembered here (promise 1).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from services.ingest.core.admission import Admitted
from shared.errors import TransientError
from shared.events.adoption_v1 import HEADERS
from shared.events.settled_v1 import DroppedV1, RedrivenV1
from shared.events.topics import EVENTS, REJECTED
from shared.kafka.broker import make_producer, outages_as_transient
from shared.settings import KafkaSettings

LINGER_MS: Final = 2


@dataclass(frozen=True, slots=True)
class LoggedBytes:
    """A record as it once stood in the log.

    Attributes:
        partition: Where it stood; it goes there again if it has no key.
    """

    key: bytes | None
    value: bytes
    partition: int


class LogPublisher:
    """The only writer of `uptake.events`."""

    def __init__(self, settings: KafkaSettings, *, ack_timeout_seconds: float) -> None:
        self._settings = settings
        self._ack_timeout_seconds = ack_timeout_seconds
        self._producer: AIOKafkaProducer | None = None
        self._partition_of = DefaultPartitioner()

    async def start(self) -> None:
        """Connect.

        Raises:
            TransientError: Kafka does not answer for now.
        """
        producer = make_producer(self._settings, linger_ms=LINGER_MS)
        try:
            async with outages_as_transient():
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Wait for what is under way, then disconnect."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def append(self, agency: str, events: Sequence[Admitted]) -> None:
        """Append an agency's events to its partition, in order.

        Args:
            agency: The partition's key.
            events: What ingest admitted.

        Raises:
            TransientError: Not all are confirmed; whether they are in the log is
                unknown.
        """
        producer = self._connected()
        key = agency.encode()
        values = [msgspec.json.encode(event.record) for event in events]
        pending: list[asyncio.Future[object]] = []
        try:
            async with asyncio.timeout(self._ack_timeout_seconds):
                await self._send(producer, key, values, pending)
                # Not awaited one by one: a time-out must leave the client's own
                # futures alone.
                done, waiting = await asyncio.wait(pending)
                assert not waiting
                for confirmation in done:
                    confirmation.result()
        except (KafkaError, OSError, TimeoutError) as error:
            for confirmation in pending:
                confirmation.add_done_callback(_forget)
            raise TransientError(
                f"kafka did not confirm: {type(error).__name__}"
            ) from error

    async def append_again(
        self, records: Sequence[LoggedBytes]
    ) -> list[tuple[int, int]]:
        """Append records that were in the log before, unchanged and in order.

        A record with a key goes to the partition of its key, because everything that
        can contradict it lies there.

        Returns:
            Partition and offset of each.

        Raises:
            TransientError: Not all are confirmed; whether they are in the log is
                unknown. Sent again, each (source, id) still counts once.
        """
        producer = self._connected()
        async with outages_as_transient(), asyncio.timeout(self._ack_timeout_seconds):
            pending = [
                await producer.send(
                    EVENTS,
                    record.value,
                    key=record.key,
                    partition=record.partition if record.key is None else None,
                    headers=HEADERS,
                )
                for record in records
            ]
            confirmed = [await asyncio.shield(each) for each in pending]
        return [(each.partition, each.offset) for each in confirmed]

    async def mark(self, marks: Sequence[RedrivenV1 | DroppedV1]) -> None:
        """Say on `uptake.rejected` what became of records.

        Raises:
            TransientError: Not all are confirmed; a mark may be said twice.
        """
        producer = self._connected()
        async with outages_as_transient(), asyncio.timeout(self._ack_timeout_seconds):
            pending = [
                await producer.send(
                    REJECTED,
                    mark.model_dump_json().encode(),
                    key=mark.data.record.encode(),
                    headers=HEADERS,
                )
                for mark in marks
            ]
            for confirmation in pending:
                await asyncio.shield(confirmation)

    def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise TransientError("kafka has not been reached yet")
        return self._producer

    async def _send(
        self,
        producer: AIOKafkaProducer,
        key: bytes,
        values: Sequence[bytes],
        pending: list[asyncio.Future[object]],
    ) -> None:
        if len(values) == 1:
            pending.append(
                await producer.send(EVENTS, values[0], key=key, headers=HEADERS)
            )
            return
        partitions = sorted(await producer.partitions_for(EVENTS))
        partition = self._partition_of(key, partitions, partitions)
        batch = producer.create_batch()
        for value in values:
            if _add(batch, key, value):
                continue
            pending.append(
                await producer.send_batch(batch, EVENTS, partition=partition)
            )
            batch = producer.create_batch()
            assert _add(batch, key, value), "one record is larger than a batch"
        pending.append(await producer.send_batch(batch, EVENTS, partition=partition))


def _add(batch: BatchBuilder, key: bytes, value: bytes) -> bool:
    metadata = batch.append(key=key, value=value, timestamp=None, headers=HEADERS)
    return metadata is not None


def _forget(confirmation: asyncio.Future[object]) -> None:
    """Take note of a late answer that nobody waits for any more."""
    if not confirmation.cancelled():
        confirmation.exception()
