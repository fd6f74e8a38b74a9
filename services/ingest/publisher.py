"""Appending to the log: durable, or said to be unknown.

Delivery: `append` returns once every record is confirmed by all in-sync replicas. When
it raises, some of the records may be in the log; the sender retries with the same ids,
and aggregation counts them once. Nothing is remembered here (promise 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from services.ingest.core.admission import Admitted
from shared.errors import TransientError
from shared.events.adoption_v1 import HEADERS
from shared.events.refused_v1 import RefusedV1
from shared.events.rejected_v1 import RejectedV1
from shared.events.settled_v1 import DroppedV1, RedrivenV1
from shared.events.topics import EVENTS, REFUSED, REJECTED
from shared.kafka.companies import Companies
from shared.kafka.producer import Pending, SteadyProducer
from shared.settings import KafkaSettings

LINGER_MS: Final = 2
# Records that wait for Kafka's confirmation. A slow broker makes senders wait, by 503,
# and not our memory grow; what a request holds besides is some ten times as much.
WAITING_BYTES_MAX: Final = 8 * 1024 * 1024
# From this size on a request's records are sent by themselves.
ALONE_BYTES_MIN: Final = 64 * 1024


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
        self._producer = SteadyProducer(settings, linger_ms=LINGER_MS)
        self._ack_timeout_seconds = ack_timeout_seconds
        self._companies = Companies(self._confirm, timeout_seconds=ack_timeout_seconds)
        self._partition_of = DefaultPartitioner()
        self._waiting_bytes = 0

    async def start(self) -> None:
        """Connect.

        Raises:
            TransientError: Kafka does not answer for now.
        """
        await self._producer.start()

    async def stop(self) -> None:
        """Wait for what is under way, then disconnect."""
        await self._producer.stop()

    async def append(self, agency: str, events: Sequence[Admitted | bytes]) -> None:
        """Append an agency's events to its partition, in order.

        Args:
            agency: The partition's key.
            events: What ingest admitted; some as their records are to stand there.

        Raises:
            TransientError: Not all are confirmed; whether they are in the log is
                unknown. Or so much waits for Kafka that nothing was sent.
        """
        values = [
            event if isinstance(event, bytes) else msgspec.json.encode(event.record)
            for event in events
        ]
        size_bytes = sum(map(len, values))
        self._take_room(size_bytes)
        try:
            if size_bytes < ALONE_BYTES_MIN:
                await self._companies.send(agency, values)
            else:
                await self._confirm(agency, values, self._ack_timeout_seconds)
        finally:
            self._waiting_bytes -= size_bytes

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

        async def submit(producer: AIOKafkaProducer, pending: Pending) -> None:
            for record in records:
                sent = await producer.send(
                    EVENTS,
                    record.value,
                    key=record.key,
                    partition=record.partition if record.key is None else None,
                    headers=HEADERS,
                )
                pending.append(sent)

        confirmed = await self._producer.confirm(
            submit, timeout_seconds=self._ack_timeout_seconds
        )
        places = [confirmation.result() for confirmation in confirmed]
        return [(place.partition, place.offset) for place in places]

    async def mark(self, marks: Sequence[RedrivenV1 | DroppedV1]) -> None:
        """Say on `uptake.rejected` what became of records.

        Raises:
            TransientError: Not all are confirmed; a mark may be said twice.
        """

        async def submit(producer: AIOKafkaProducer, pending: Pending) -> None:
            for mark in marks:
                sent = await producer.send(
                    REJECTED,
                    mark.model_dump_json().encode(),
                    key=mark.data.record.encode(),
                    headers=HEADERS,
                )
                pending.append(sent)

        await self._producer.confirm(submit, timeout_seconds=self._ack_timeout_seconds)

    async def tell_refused(
        self, agency: str, refused: Sequence[tuple[RefusedV1, RejectedV1]]
    ) -> None:
        """Tell an agency, and operators, which of its submissions were refused.

        Raises:
            TransientError: Not all are confirmed; one may be told twice, under one id.
        """

        async def submit(producer: AIOKafkaProducer, pending: Pending) -> None:
            for told, kept in refused:
                for topic, message in ((REFUSED + agency, told), (REJECTED, kept)):
                    sent = await producer.send(
                        topic,
                        message.model_dump_json().encode(),
                        key=message.id.encode(),
                        headers=HEADERS,
                    )
                    pending.append(sent)

        await self._producer.confirm(submit, timeout_seconds=self._ack_timeout_seconds)

    def _take_room(self, size_bytes: int) -> None:
        """Hold room for records while they wait; one request has it in any case."""
        held = self._waiting_bytes
        if held and held + size_bytes > WAITING_BYTES_MAX:
            raise TransientError(
                "too much waits for kafka to confirm; nothing was sent"
            )
        self._waiting_bytes += size_bytes

    async def _confirm(
        self, agency: str, values: Sequence[bytes], timeout_seconds: float
    ) -> None:
        key = agency.encode()

        async def submit(producer: AIOKafkaProducer, pending: Pending) -> None:
            await self._submit_batch(producer, key, values, pending)

        await self._producer.confirm(submit, timeout_seconds=timeout_seconds)

    async def _submit_batch(
        self,
        producer: AIOKafkaProducer,
        key: bytes,
        values: Sequence[bytes],
        pending: Pending,
    ) -> None:
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
            is_added = _add(batch, key, value)
            assert is_added, "one record is larger than a batch"
        # Or it would wait for records that are sent one by one.
        batch.close()
        pending.append(await producer.send_batch(batch, EVENTS, partition=partition))


def _add(batch: BatchBuilder, key: bytes, value: bytes) -> bool:
    metadata = batch.append(key=key, value=value, timestamp=None, headers=HEADERS)
    return metadata is not None
