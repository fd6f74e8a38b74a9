"""Reading the agencies' own topics: fetch, decide, append, tell, only then commit.

aiokafka is used directly: an offset must not be committed before Kafka has confirmed
what became of its record, and a partition must not be stepped over by another's commit
(ADR 0020).
"""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from aiokafka import (
    AIOKafkaConsumer,
    ConsumerRebalanceListener,
    ConsumerRecord,
    TopicPartition,
)
from aiokafka.errors import IllegalStateError, KafkaError
from typing_extensions import override

from services.ingest.core.json_text import EventBounds
from services.ingest.guard.limits import AgencyRates
from services.ingest.publisher import LogPublisher
from services.ingest.settings import IngestSettings
from services.ingest.submissions.fetching import fetch
from services.ingest.submissions.judge import Judged, Submission, judge_submissions
from services.ingest.submissions.waiting import WaitingTopics
from shared.backoff import wait_out
from shared.catalogue.model import Agency, Catalogue
from shared.errors import TransientError
from shared.events.topics import REFUSED, SUBMISSIONS, SUBMISSIONS_GROUP
from shared.kafka.broker import admin_client, make_consumer, outages_as_transient
from shared.metrics import IngestMetrics, SubmissionMetrics

POLL_SECONDS: Final = 0.25
POLL_RECORDS_MAX: Final = 2_000
LOOK_SECONDS: Final = 30.0
IDLE_SECONDS: Final = 1.0
LEAVE_SECONDS_MAX: Final = 3.0
HOLD_SECONDS_MAX: Final = 30.0
"""An agency's limits may be raised while it waits for the old ones."""

_log = logging.getLogger(__name__)


# aiokafka ships no types, so its base class is Any to mypy.
class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc]
    """Partitions that came to us and have not been looked at."""

    def __init__(self, metrics: SubmissionMetrics) -> None:
        self.fresh: set[TopicPartition] = set()
        self._metrics = metrics

    @override
    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.fresh.clear()
        # What another replica reads from now on, it shows.
        self._metrics.lag_records.clear()

    @override
    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.fresh.update(assigned)


class SubmissionReader:
    """Takes what agencies wrote to their topics; replicas share them by a group."""

    def __init__(
        self,
        settings: IngestSettings,
        catalogue: Callable[[], Catalogue],
        publisher: LogPublisher,
        *,
        rates: AgencyRates,
        metrics: IngestMetrics,
        submission_metrics: SubmissionMetrics,
    ) -> None:
        """Wire it; nothing is read yet.

        Args:
            settings: How to reach Kafka, and what an event may be.
            catalogue: Returns the catalogue that holds now.
            publisher: Of the log.
            rates: Shared with the door over HTTP: an agency has one, however it sends.
            metrics: Shared with the door over HTTP.
            submission_metrics: Of topics alone.
        """
        self._settings = settings
        self._catalogue = catalogue
        self._publisher = publisher
        self._rates = rates
        self._metrics = metrics
        self._submission_metrics = submission_metrics
        self._bounds = EventBounds(settings.event_bytes_max, settings.event_nesting_max)
        self._waiting = WaitingTopics()
        self._topics: frozenset[str] = frozenset()
        self._wanted: frozenset[str] = frozenset()
        self._look_at = 0.0

    async def run(self) -> None:
        """Read until cancelled; connects once an agency has a topic.

        Whatever happens here, the door over HTTP stays ready: its senders have no part
        in it.
        """
        consumer = make_consumer(self._settings, group_id=SUBMISSIONS_GROUP)
        assigned = _Assigned(self._submission_metrics)
        has_joined = False
        try:
            while True:
                is_other = await wait_out(
                    "find_submissions", self._find_topics, on_outage=self._on_outage
                )
                if not self._topics:
                    if is_other:
                        consumer.unsubscribe()
                    await asyncio.sleep(IDLE_SECONDS)
                    continue
                if is_other:
                    consumer.subscribe(sorted(self._topics), listener=assigned)
                if not has_joined:
                    await wait_out(
                        "join_submissions",
                        lambda: _join(consumer),
                        on_outage=self._on_outage,
                    )
                    has_joined = True
                await self._take_next(consumer, assigned)
        finally:
            await _leave(consumer)

    def _on_outage(self, reason: str | None) -> None:
        self._submission_metrics.waiting.set(0 if reason is None else 1)

    async def _find_topics(self) -> bool:
        """Look which topics there are to read; tell whether others than before.

        Asked of the broker when the catalogue names others, and now and then while one
        is missing: a question about a topic that is not there could make it.
        """
        wanted = frozenset(a.id for a in self._catalogue().agencies.values() if a.kafka)
        now = asyncio.get_running_loop().time()
        is_complete = len(self._topics) == len(wanted)
        if wanted == self._wanted and (is_complete or now < self._look_at):
            return False
        there: set[str] = set()
        if wanted:
            async with admin_client(self._settings) as admin:
                there = set(await admin.list_topics())
        self._wanted, self._look_at = wanted, now + LOOK_SECONDS
        missing = sorted(
            agency
            for agency in wanted
            if not {SUBMISSIONS + agency, REFUSED + agency} <= there
        )
        if missing:
            _log.warning("agency_topics_missing", extra={"agencies": missing})
        found = frozenset(SUBMISSIONS + agency for agency in wanted - set(missing))
        is_other, self._topics = found != self._topics, found
        return is_other

    async def _take_next(self, consumer: AIOKafkaConsumer, assigned: _Assigned) -> None:
        """Take what comes next; what is not committed in the end comes again."""
        self._resume(consumer)
        fetched = await wait_out(
            "fetch_submissions",
            lambda: self._fetch(consumer, assigned),
            on_outage=self._on_outage,
        )
        for partition, records in fetched.items():
            agency_id = partition.topic.removeprefix(SUBMISSIONS)
            agency = self._catalogue().agency(agency_id)
            # One that has lost its topic just now: its records stay, undecided.
            if agency is None or not agency.kafka or not records:
                continue
            count, wait_seconds = self._rates.take_some(agency, len(records))
            try:
                await self._take_committed(consumer, partition, agency, records[:count])
            except TransientError as error:
                self._put_back(consumer, partition, agency, records[0].offset, error)
                continue
            if count < len(records):
                offset = records[count].offset
                self._slow_down(consumer, partition, agency, offset, wait_seconds)

    async def _take_committed(
        self,
        consumer: AIOKafkaConsumer,
        partition: TopicPartition,
        agency: Agency,
        records: Sequence[ConsumerRecord],
    ) -> None:
        """Take records, if any, and commit them.

        Raises:
            TransientError: All of them must be taken again.
        """
        if not records:
            return
        await self._take(agency, records)
        self._waiting.forget(partition)
        await _commit(consumer, partition, records[-1].offset + 1)
        self._show_lag(consumer, partition, agency, records[-1].offset + 1)

    def _slow_down(
        self,
        consumer: AIOKafkaConsumer,
        partition: TopicPartition,
        agency: Agency,
        offset: int,
        wait_seconds: float,
    ) -> None:
        """Have a topic wait alone until more of it is within its agency's rate.

        What was fetched beyond it is let go: the topic is the queue, not our memory.
        """
        held_seconds = min(wait_seconds, HOLD_SECONDS_MAX)
        self._submission_metrics.slowed_seconds.labels(agency.id).inc(held_seconds)
        now = asyncio.get_running_loop().time()
        self._waiting.hold(partition, now + held_seconds)
        self._show_lag(consumer, partition, agency, offset)
        _read_again_later(consumer, partition, offset)

    def _put_back(
        self,
        consumer: AIOKafkaConsumer,
        partition: TopicPartition,
        agency: Agency,
        offset: int,
        error: TransientError,
    ) -> None:
        """Have an agency's topic wait alone, and be read again from the same place."""
        now = asyncio.get_running_loop().time()
        wait_seconds = self._waiting.add(partition, now)
        _log.warning(
            "submissions_put_back",
            extra={
                "agency": agency.id,
                "offset": offset,
                "wait_seconds": round(wait_seconds, 3),
                "reason": str(error),
            },
        )
        self._show_lag(consumer, partition, agency, offset)
        _read_again_later(consumer, partition, offset)

    def _resume(self, consumer: AIOKafkaConsumer) -> None:
        """Read on where the wait is over."""
        now = asyncio.get_running_loop().time()
        for partition in self._waiting.due(now) & consumer.paused():
            consumer.resume(partition)

    async def _fetch(
        self, consumer: AIOKafkaConsumer, assigned: _Assigned
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        async with outages_as_transient():
            for partition in sorted(assigned.fresh):
                await self._look_for_losses(consumer, partition)
                assigned.fresh.discard(partition)
            # A topic whose wait ends meanwhile is not kept waiting by the others.
            now = asyncio.get_running_loop().time()
            seconds = self._waiting.seconds_to_next(now, most=POLL_SECONDS)
            return await fetch(
                consumer,
                self._waiting,
                timeout_ms=math.ceil(seconds * 1_000),
                records_max=POLL_RECORDS_MAX,
            )

    async def _look_for_losses(
        self, consumer: AIOKafkaConsumer, partition: TopicPartition
    ) -> None:
        """Say it where the broker deleted submissions that nobody had decided on."""
        committed = await consumer.committed(partition)
        if committed is None:
            return
        start = (await consumer.beginning_offsets([partition]))[partition]
        if start > committed:
            self._submission_metrics.lost.inc(start - committed)
            _log.error(
                "submissions_lost",
                extra={"topic": partition.topic, "first": committed, "next": start},
            )

    async def _take(self, agency: Agency, records: Sequence[ConsumerRecord]) -> None:
        """Decide, append, and tell what was refused; returns once Kafka confirmed.

        Raises:
            TransientError: It did not; all of it must be taken again.
        """
        judged = judge_submissions(
            map(_submission, records), agency, self._catalogue(), self._bounds
        )
        if judged.admitted:
            await self._publisher.append(agency.id, judged.admitted)
        if judged.refused:
            await self._publisher.tell_refused(agency.id, judged.refused)
        self._report(agency, records, judged)

    def _report(
        self, agency: Agency, records: Sequence[ConsumerRecord], judged: Judged
    ) -> None:
        self._metrics.accepted.labels(agency.id).inc(len(judged.admitted))
        for told, _ in judged.refused:
            self._metrics.refused.labels(told.data.code).inc()
        _log.info(
            "submissions_taken",
            extra={
                "agency": agency.id,
                "first_offset": records[0].offset,
                "next_offset": records[-1].offset + 1,
                "accepted": len(judged.admitted),
                "refused": len(judged.refused),
            },
        )

    def _show_lag(
        self,
        consumer: AIOKafkaConsumer,
        partition: TopicPartition,
        agency: Agency,
        next_offset: int,
    ) -> None:
        # What has moved to another replica is shown there.
        is_ours = partition in consumer.assignment()
        end = consumer.highwater(partition) if is_ours else None
        if end is not None:
            behind = max(end - next_offset, 0)
            self._submission_metrics.lag_records.labels(agency.id).set(behind)


async def _join(consumer: AIOKafkaConsumer) -> None:
    async with outages_as_transient():
        await consumer.start()


async def _leave(consumer: AIOKafkaConsumer) -> None:
    """Leave the group, bounded: a broker that is away would be waited for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_SECONDS_MAX):
            await consumer.stop()


def _read_again_later(
    consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int
) -> None:
    """Fetch nothing of a topic until it is resumed, then from this place."""
    # Another replica may have it by now; then it is read there.
    if partition in consumer.assignment():
        consumer.seek(partition, offset)
        consumer.pause(partition)


async def _commit(
    consumer: AIOKafkaConsumer, partition: TopicPartition, next_offset: int
) -> None:
    try:
        await consumer.commit({partition: next_offset})
    except (KafkaError, IllegalStateError) as error:
        # The next commit covers it, or another replica decides again: what was
        # admitted counts once, and a refusal is told again under the same id.
        _log.info("submissions_not_committed", extra={"reason": type(error).__name__})


def _submission(record: ConsumerRecord) -> Submission:
    return Submission(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        submitted_at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        headers=record.headers,
        value=record.value,
    )
