"""The order of things: decide, append, tell, and only then commit."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pytest
from aiokafka import TopicPartition

from services.ingest.core.admission import Admitted
from services.ingest.guard.limits import AgencyRates
from services.ingest.publisher import LogPublisher
from services.ingest.settings import IngestSettings
from services.ingest.submissions.reader import (
    HOLD_SECONDS_MAX,
    SubmissionReader,
    _Assigned,
)
from shared.catalogue.model import Catalogue
from shared.errors import TransientError
from shared.events.refused_v1 import RefusedV1
from shared.events.rejected_v1 import RejectedV1
from shared.metrics import IngestMetrics, SubmissionMetrics, new_registry
from tests.unit.ingest.doors import BANK, NOON, SHOP, make_catalogue, make_event

TOPIC = TopicPartition("uptake.submissions.bank", 0)


@dataclass(frozen=True, slots=True)
class Record:
    """What the client library fetches, as far as it is read."""

    value: bytes
    offset: int
    topic: str = TOPIC.topic
    partition: int = 0
    timestamp: int = int(NOON.timestamp() * 1000)
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class World:
    """Consumer and log in one, so that the order of what is done shows.

    Attributes:
        failures: How many appends and tellings fail first.
        done: What was done, in order.
    """

    fetched: dict[TopicPartition, list[Record]]
    failures: int = 0
    start: int = 0
    committed_offset: int | None = None
    done: list[tuple[str, object]] = field(default_factory=list)
    paused_ones: set[TopicPartition] = field(default_factory=set)
    ours: set[TopicPartition] = field(default_factory=lambda: {TOPIC})

    async def getmany(self, **_: object) -> dict[TopicPartition, list[Record]]:
        """Give everything once."""
        fetched, self.fetched = self.fetched, {}
        return fetched

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Note it."""
        (offset,) = offsets.values()
        self.done.append(("commit", offset))

    async def committed(self, _: TopicPartition) -> int | None:
        """Return what a test says."""
        return self.committed_offset

    async def beginning_offsets(
        self, partitions: list[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Return what a test says."""
        return dict.fromkeys(partitions, self.start)

    def assignment(self) -> set[TopicPartition]:
        """Return what is this process's to read."""
        return self.ours

    def seek(self, _: TopicPartition, offset: int) -> None:
        """Note it."""
        self.done.append(("seek", offset))

    def pause(self, partition: TopicPartition) -> None:
        """Give nothing of it any more."""
        self.paused_ones.add(partition)

    def resume(self, partition: TopicPartition) -> None:
        """Give it again."""
        self.paused_ones.discard(partition)

    def paused(self) -> set[TopicPartition]:
        """Return what is not given."""
        return self.paused_ones

    def highwater(self, partition: TopicPartition) -> int:
        """Return an end behind everything, of what is ours, as the library does."""
        assert partition in self.ours
        return 12

    async def append(self, agency: str, events: Sequence[Admitted]) -> None:
        """Confirm, unless it is to fail."""
        self._fail()
        self.done.append(("append", (agency, tuple(event.id for event in events))))

    async def tell_refused(
        self, agency: str, refused: Sequence[tuple[RefusedV1, RejectedV1]]
    ) -> None:
        """Confirm, unless it is to fail."""
        self._fail()
        places = tuple(told.data.offset for told, _ in refused)
        self.done.append(("tell", (agency, places)))

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            self.done.append(("failed", None))
            message = "kafka did not confirm"
            raise TransientError(message)


def catalogue(*, has_topic: bool = True) -> Catalogue:
    """Make a catalogue whose bank has a topic, or has lost it."""
    made = make_catalogue()
    bank = replace(BANK, kafka=has_topic)
    shop = replace(SHOP, kafka=has_topic)
    return replace(made, agencies={"bank": bank, "shop": shop})


def make_reader(
    world: World, *, has_topic: bool = True, burst: int = 10_000, rate: float = 0.001
) -> SubmissionReader:
    """Make a reader that writes to a world; what it may read does not come back."""
    registry = new_registry()
    return SubmissionReader(
        IngestSettings.model_validate(
            {"kafka_bootstrap_servers": "nowhere:9", "catalogue": "."}
        ),
        lambda: catalogue(has_topic=has_topic),
        cast("LogPublisher", world),
        rates=AgencyRates(events_per_second=rate, burst_events=burst),
        metrics=IngestMetrics(registry),
        submission_metrics=SubmissionMetrics(registry),
    )


async def take(world: World, *, has_topic: bool = True) -> SubmissionReader:
    """Take what a world has."""
    reader = make_reader(world, has_topic=has_topic)
    await reader._take_next(world, _Assigned(reader._submission_metrics))
    return reader


def records(*events: object, first: int = 5) -> dict[TopicPartition, list[Record]]:
    """Make records of the bank's topic."""
    values = [json.dumps(event).encode() for event in events]
    return {TOPIC: [Record(value, first + n) for n, value in enumerate(values)]}


async def test_offset_is_committed_once_everything_is_confirmed() -> None:
    """A crash before that repeats; one after it has nothing left to lose."""
    world = World(records(make_event(), {"id": "bad"}, make_event(id="e-2")))
    await take(world)
    assert world.done == [
        ("append", ("bank", ("e-1", "e-2"))),
        ("tell", ("bank", (6,))),
        ("commit", 8),
    ]


@pytest.mark.parametrize("failures", [1, 2])
async def test_nothing_is_committed_while_kafka_does_not_confirm(failures: int) -> None:
    """Neither the append nor the telling; all of it is read again, and waits alone."""
    world = World(records(make_event(), {"id": "bad"}), failures=failures)
    reader = make_reader(world)
    for _ in range(failures):
        again = dict(world.fetched)
        await reader._take_next(world, _Assigned(reader._submission_metrics))
        assert world.done[-2:] == [("failed", None), ("seek", 5)]
        assert world.paused() == {TOPIC}
        world.fetched = again
    await reader._take_next(world, _Assigned(reader._submission_metrics))
    assert [what for what, _ in world.done[-3:]] == ["append", "tell", "commit"]


async def test_topic_that_waits_is_read_again_when_its_time_has_come() -> None:
    """Not before: a broker in need must not be pressed."""
    world = World({})
    reader = make_reader(world)
    now = asyncio.get_running_loop().time()
    world.pause(TOPIC)
    reader._waiting.add(TOPIC, now + 3600)
    reader._resume(world)
    assert world.paused() == {TOPIC}
    reader._waiting.add(TOPIC, now - 3600)
    reader._resume(world)
    assert world.paused() == set()


async def test_topic_that_has_moved_away_is_left_to_its_reader() -> None:
    """It is not ours to put back, and nothing of it was committed."""
    world = World(records(make_event()), failures=1, ours=set())
    await take(world)
    assert world.done == [("failed", None)]
    assert world.paused() == set()


async def test_lag_is_shown_where_the_topic_is_read() -> None:
    """And nowhere else: a replica that has lost it would show an old one for ever."""
    world = World(records(make_event()))
    reader = await take(world)
    gauge = reader._submission_metrics.lag_records
    assert gauge.labels("bank")._value.get() == 6
    _Assigned(reader._submission_metrics).on_partitions_revoked([TOPIC])
    assert not [sample for metric in gauge.collect() for sample in metric.samples]
    world.fetched, world.ours = records(make_event(), first=6), set()
    await reader._take_next(world, _Assigned(reader._submission_metrics))
    assert not [sample for metric in gauge.collect() for sample in metric.samples]


async def test_one_topic_that_waits_keeps_no_other_waiting() -> None:
    """Each agency's trouble is its own."""
    shop = TopicPartition("uptake.submissions.shop", 0)
    (bank_records,) = records(make_event()).values()
    good = Record(
        json.dumps(make_event("uptake.indicator.counted")).encode(), 3, shop.topic
    )
    world = World({TOPIC: bank_records, shop: [good]}, failures=1)
    await take(world)
    assert [what for what, _ in world.done] == ["failed", "seek", "tell", "commit"]
    assert world.paused() == {TOPIC}


async def test_topic_beyond_its_agencys_rate_waits_alone_and_is_read_on() -> None:
    """As much as it may is taken and committed; the others are not kept waiting."""
    shop = TopicPartition("uptake.submissions.shop", 0)
    (flood,) = records(*(make_event(id=f"e-{n}") for n in range(9))).values()
    good = Record(
        json.dumps(make_event("uptake.indicator.counted")).encode(), 3, shop.topic
    )
    world = World({TOPIC: flood, shop: [good]}, ours={TOPIC, shop})
    reader = make_reader(world, burst=4)
    await reader._take_next(world, _Assigned(reader._submission_metrics))
    assert world.done == [
        ("append", ("bank", ("e-0", "e-1", "e-2", "e-3"))),
        ("commit", 9),
        ("seek", 9),
        ("tell", ("shop", (3,))),
        ("commit", 4),
    ]
    assert world.paused() == {TOPIC}
    slowed = reader._submission_metrics.slowed_seconds
    assert slowed.labels("bank")._value.get() == HOLD_SECONDS_MAX
    world.done.clear()
    # Too early, as after a rebalance: nothing is taken.
    world.resume(TOPIC)
    world.fetched = {TOPIC: flood[4:]}
    await reader._take_next(world, _Assigned(reader._submission_metrics))
    assert world.done == [("seek", 9)]
    assert world.paused() == {TOPIC}


async def test_rate_is_one_for_both_ways_in() -> None:
    """Who has sent all it may over HTTP has nothing left for its topic."""
    world = World(records(make_event()))
    reader = make_reader(world, burst=4)
    assert reader._rates.take(BANK, 4) == 0.0
    await reader._take_next(world, _Assigned(reader._submission_metrics))
    assert world.done == [("seek", 5)]


async def test_wait_for_a_rate_is_as_long_as_it_has_to_be() -> None:
    """What an agency may send in a second is waited for, not the whole backlog."""
    world = World(records(*(make_event(id=f"e-{n}") for n in range(9))))
    reader = make_reader(world, burst=4, rate=2)
    before = asyncio.get_running_loop().time()
    await reader._take_next(world, _Assigned(reader._submission_metrics))
    assert world.done[-1] == ("seek", 9)
    assert TOPIC not in reader._waiting.due(before + 0.9)
    assert TOPIC in reader._waiting.due(asyncio.get_running_loop().time() + 1.0)


async def test_agency_that_has_lost_its_topic_is_not_read_any_more() -> None:
    """Revoked is revoked; what it left unread stays, and stays uncommitted."""
    world = World(records(make_event()))
    await take(world, has_topic=False)
    assert world.done == []


@pytest.mark.parametrize(("committed", "lost"), [(None, 0), (40, 0), (39, 1), (3, 37)])
async def test_submissions_deleted_unread_are_said(
    committed: int | None, lost: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Never lost silently: a figure for alerts, and a line with the place."""
    world = World({}, committed_offset=committed, start=40)
    reader = make_reader(world)
    await reader._look_for_losses(world, TOPIC)
    counted = reader._submission_metrics.lost.collect()
    (value,) = [
        sample.value
        for metric in counted
        for sample in metric.samples
        if sample.name.endswith("_total")
    ]
    assert value == lost
    assert ("submissions_lost" in caplog.text) == bool(lost)
