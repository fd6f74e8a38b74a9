"""Reading the log again, from the next generation's own position.

Partitions are assigned by hand: a rebuild belongs to no group and takes nothing from
the services that go on counting.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from services.aggregation.consumer.early_end import EarlyEnds
from services.aggregation.consumer.records import hash_record, slice_records
from services.aggregation.core.place import Place
from services.aggregation.store.ledger import Slice
from shared.events.topics import EVENTS
from shared.kafka.broker import outages_as_transient

POLL_TIMEOUT_MS: Final = 250
_choose_partition: Final = DefaultPartitioner()


class LogReplay:
    """Reads partitions up to where the generation that serves has applied them."""

    def __init__(
        self, consumer: AIOKafkaConsumer, *, partitions: int, batch_records_max: int
    ) -> None:
        self._consumer = consumer
        self._numbers = list(range(partitions))
        self._batch_records_max = batch_records_max
        self._places: dict[int, Place] = {}
        self._early_ends = EarlyEnds()

    async def open(self) -> None:
        """Connect.

        Raises:
            TransientError: Kafka is away.
        """
        async with outages_as_transient():
            await self._consumer.start()

    async def close(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    def begin(self, places: Iterable[Place]) -> None:
        """Read from these places on, and nothing else."""
        self._places = {place.partition: place for place in places}
        self._early_ends = EarlyEnds()
        self._consumer.assign([_topic(partition) for partition in self._places])
        for partition, place in self._places.items():
            self._consumer.seek(_topic(partition), place.start_offset)

    async def read(self, ends: Mapping[int, int]) -> list[Slice]:
        """Return what comes next; nothing once every partition is at its end.

        Args:
            ends: Offset behind the last record to read, by partition.

        Raises:
            FatalError: The log is not the one that was applied.
            TransientError: Kafka is away.
        """
        while True:
            wanted = [
                partition
                for partition, place in self._places.items()
                if place.next_offset < ends[partition]
            ]
            if not wanted:
                return []
            async with outages_as_transient():
                fetched = await self._consumer.getmany(
                    *(_topic(partition) for partition in wanted),
                    timeout_ms=POLL_TIMEOUT_MS,
                    max_records=self._batch_records_max,
                )
            slices = [
                part
                for topic, records in fetched.items()
                if records
                and (part := self._cut(topic.partition, records, ends)) is not None
            ]
            if slices:
                return slices
            for partition in wanted:
                self._check_end(partition, ends[partition])

    def partition_of(self, agency: str) -> int:
        """Return the partition that has an agency's events."""
        return partition_of(agency, self._numbers)

    def _cut(
        self, partition: int, records: Sequence[ConsumerRecord], ends: Mapping[int, int]
    ) -> Slice | None:
        place = self._places[partition]
        if place.must_prove:
            place = place.prove(records[0].offset, hash_record(records[0]))
        end = ends[partition]
        kept = [record for record in records if record.offset < end]
        if len(kept) < len(records):
            # What lies behind the end is fetched again when its time comes.
            self._consumer.seek(_topic(partition), end)
        part = slice_records(place, kept)
        if part is not None:
            place = place.moved_to(part.next_offset, part.last_record_hash)
        self._places[partition] = place
        return part

    def _check_end(self, partition: int, end: int) -> None:
        """Refuse a log that ends before what was applied, once that is certain."""
        self._early_ends.check(
            Place(partition, end, None),
            log_end=self._consumer.highwater(_topic(partition)),
            polled_ms=self._consumer.last_poll_timestamp(_topic(partition)),
        )


def partition_of(agency: str, numbers: Sequence[int]) -> int:
    """Return the partition, of those of the log, that has an agency's events."""
    partition: int = _choose_partition(agency.encode(), list(numbers), list(numbers))
    return partition


def _topic(partition: int) -> TopicPartition:
    return TopicPartition(EVENTS, partition)
