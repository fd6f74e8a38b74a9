"""Fetching beside a record that cannot be read, which the client library raises on."""

from dataclasses import dataclass, field
from typing import cast

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.ingest.submissions.fetching import fetch
from services.ingest.submissions.waiting import WaitingTopics

BANK, SHOP = (TopicPartition(f"uptake.submissions.{name}", 0) for name in "bs")


@dataclass(frozen=True, slots=True)
class Record:
    """What is fetched, as far as it is looked at."""

    offset: int


@dataclass(slots=True)
class Library:
    """A consumer that behaves as the library does.

    Attributes:
        ends: The end of each topic.
        unreadable: The offsets of records that it raises on.
    """

    ends: dict[TopicPartition, int]
    unreadable: dict[TopicPartition, int]
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    committed_ones: dict[TopicPartition, int] = field(default_factory=dict)
    paused_ones: set[TopicPartition] = field(default_factory=set)

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Record]]:
        """Give what there is; on an unreadable record forget what was read so far."""
        assert timeout_ms > 0
        fetched: dict[TopicPartition, list[Record]] = {}
        for partition in partitions or tuple(self.ends):
            if partition in self.paused_ones:
                continue
            while self.positions.get(partition, 0) < self.ends[partition]:
                at = self.positions.get(partition, 0)
                if at == self.unreadable.get(partition):
                    raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")
                self.positions[partition] = at + 1
                fetched.setdefault(partition, []).append(Record(at))
                if len(fetched[partition]) == max_records:
                    break
        return fetched

    def assignment(self) -> set[TopicPartition]:
        """Return all topics."""
        return set(self.ends)

    def paused(self) -> set[TopicPartition]:
        """Return what is not given."""
        return set(self.paused_ones)

    def pause(self, partition: TopicPartition) -> None:
        """Give nothing of it any more."""
        self.paused_ones.add(partition)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go there."""
        self.positions[partition] = offset

    async def committed(self, partition: TopicPartition) -> int | None:
        """Return what was committed, if anything."""
        return self.committed_ones.get(partition)

    async def beginning_offsets(
        self, partitions: list[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Return the beginning."""
        return dict.fromkeys(partitions, 0)


async def take(library: Library, waiting: WaitingTopics) -> dict[str, list[int]]:
    """Fetch once and commit it; return the offsets by agency."""
    fetched = await fetch(
        cast("AIOKafkaConsumer", library), waiting, timeout_ms=1, records_max=100
    )
    taken = {}
    for partition, records in fetched.items():
        if records:
            library.committed_ones[partition] = records[-1].offset + 1
            taken[partition.topic[-1]] = [record.offset for record in records]
    return taken


async def test_an_unreadable_record_loses_none_that_came_before_it() -> None:
    """Of any topic, though the library has forgotten them and gone on behind them."""
    library = Library({SHOP: 3, BANK: 5}, {BANK: 2})
    waiting = WaitingTopics()
    assert await take(library, waiting) == {"b": [0, 1], "s": [0, 1, 2]}
    assert library.paused() == set()


async def test_with_nothing_left_to_read_its_topic_waits_alone() -> None:
    """From the place of that record; the others are read on."""
    library = Library({BANK: 5, SHOP: 3}, {BANK: 2})
    waiting = WaitingTopics()
    await take(library, waiting)
    assert await take(library, waiting) == {}
    assert library.paused() == {BANK}
    assert library.positions[BANK] == 2
    assert waiting.due(float("inf")) == {BANK}
    library.ends[SHOP] = 5
    assert await take(library, waiting) == {"s": [3, 4]}


async def test_nothing_is_asked_apart_while_all_can_be_read() -> None:
    """One question for all topics."""
    library = Library({BANK: 2, SHOP: 1}, {})
    assert await take(library, WaitingTopics()) == {"b": [0, 1], "s": [0]}
