"""Reading the log: join the group, start partitions, fetch, decode."""

import logging
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.aggregation.consumer.assignment import Assignment, Cut
from services.aggregation.consumer.records import hash_record, slice_records
from services.aggregation.consumer.waiting import WaitingCuts
from services.aggregation.core.place import Place
from services.aggregation.store.ledger import LedgerStore
from shared.backoff import wait_out
from shared.events.topics import EVENTS
from shared.http import Readiness
from shared.kafka.broker import outages_as_transient

POLL_TIMEOUT_MS: Final = 250
# Where some partitions are left out, because records of theirs wait: soon all may be
# asked for again.
POLL_SOME_TIMEOUT_MS: Final = 10

_log = logging.getLogger(__name__)


class LogReader:
    """Fetches what is ours and hands it on, decoded, in order."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        assignment: Assignment,
        store: LedgerStore,
        readiness: Readiness,
        *,
        cut_records_max: int,
    ) -> None:
        self._consumer = consumer
        self._assignment = assignment
        self._store = store
        self._readiness = readiness
        self._cut_records_max = cut_records_max

    async def run(self, waiting: WaitingCuts) -> None:
        """Read until cancelled.

        Args:
            waiting: Bounded; a full one makes the reader wait, and with it the fetch.

        Raises:
            FatalError: The log is not the one whose records were applied.
        """
        self._consumer.subscribe([EVENTS], listener=self._assignment)
        self._readiness.set("log", "joining the consumer group")
        try:
            await wait_out(
                "join_group", self._join, on_outage=self._readiness.for_part("kafka")
            )
            while True:
                if self._assignment.to_start:
                    await self._start_partitions()
                readable = await waiting.wait_for_room(self._assignment.places)
                room_records = waiting.room_records
                if cuts := await self._fetch(readable, room_records):
                    await waiting.add(cuts)
        finally:
            await self._consumer.stop()

    async def _join(self) -> None:
        async with outages_as_transient():
            await self._consumer.start()

    async def _start_partitions(self) -> None:
        wanted = frozenset(self._assignment.to_start)
        progress = await wait_out(
            "read_progress",
            lambda: self._store.start_partitions(wanted),
            on_outage=self._readiness.for_part("postgres"),
        )
        # A rebalance may have taken partitions away while Postgres answered.
        for partition in wanted & self._assignment.to_start:
            row = progress[partition]
            place = Place(partition, row.next_offset, row.last_record_hash)
            self._consumer.seek(TopicPartition(EVENTS, partition), place.start_offset)
            self._assignment.begin(place)
        self._readiness.set("log", None)
        _log.info("partitions_started", extra={"partitions": sorted(wanted)})

    async def _fetch(self, readable: Sequence[int], room_records: int) -> list[Cut]:
        """Fetch and decode what may be read now; returns nothing when none comes."""
        is_all = len(readable) == len(self._assignment.places)
        fetched = await self._consumer.getmany(
            # Without names all are meant, also those that are not started yet.
            *([] if is_all else [TopicPartition(EVENTS, each) for each in readable]),
            timeout_ms=POLL_TIMEOUT_MS if is_all else POLL_SOME_TIMEOUT_MS,
            max_records=min(room_records, self._cut_records_max),
        )
        cuts = []
        for tp, records in fetched.items():
            place = self._assignment.places.get(tp.partition)
            if place is None or not records:
                # Fetched before the progress row was read; it will be fetched again.
                continue
            if place.must_prove:
                place = place.prove(records[0].offset, hash_record(records[0]))
                self._assignment.places[tp.partition] = place
            part = slice_records(place, records)
            if part is not None:
                cuts.append(self._assignment.cut(part))
        return cuts
