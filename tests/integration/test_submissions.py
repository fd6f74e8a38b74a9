"""An agency's own topic: the same checks as HTTP, counted once, refusals told."""

import asyncio
import json
import random
from collections import Counter

import pytest
from aiokafka import TopicPartition

from shared.events.topics import SUBMISSIONS, SUBMISSIONS_GROUP
from shared.kafka.broker import make_consumer
from tests.support.catalogues import write_agency
from tests.support.events import THANH_HOA, event, opened
from tests.support.stack import Stack, eventually
from tests.support.submitting import (
    Sent,
    binary,
    read_refused,
    read_rejected,
    structured,
    submit,
)
from tests.support.uptake_command import run_uptake

pytestmark = pytest.mark.timeout(180)
CITIZEN = "038090012345"
REJOIN_SECONDS_MAX = 60.0


@pytest.fixture
async def submitting(stack: Stack) -> Stack:
    """Give the bank a topic, and start what is needed."""
    write_agency(stack.catalogue, "bank", "38", has_topic=True)
    await stack.migrate()
    await stack.start("ingest", "aggregation")
    return stack


async def wait_taken(stack: Stack, accepted: int, refused: int) -> None:
    """Wait until so many were accepted into the log and so many refused, at least."""

    async def are_there() -> bool:
        told = await read_refused(stack.kafka_settings, "bank")
        return await stack.applied() >= accepted and len(told) >= refused

    await eventually(
        are_there,
        seconds=REJOIN_SECONDS_MAX,
        what=f"{accepted} applied, {refused} refused: {stack.log_tail('ingest')}",
    )


async def committed(stack: Stack) -> int | None:
    """Return the offset from which the next ingest would read."""
    consumer = make_consumer(stack.kafka_settings, group_id=SUBMISSIONS_GROUP)
    await consumer.start()
    try:
        offset: int | None = await consumer.committed(
            TopicPartition(f"{SUBMISSIONS}bank", 0)
        )
        return offset
    finally:
        await consumer.stop()


async def test_submissions_go_through_the_door(submitting: Stack) -> None:
    """Good ones count, bad ones are told, and none stops another."""
    stack = submitting
    twice = structured(opened(5))
    bad_time = event(at=None, locality="15961", count=1) | {"time": CITIZEN}
    await submit(
        stack.kafka_settings,
        "bank",
        structured(opened(1)),
        Sent(b"not json"),
        binary(opened(2)),
        structured(opened(1) | {"source": "/test/shop"}),
        twice,
        structured(bad_time),
        twice,
        Sent(b"", [("content-type", b"text/csv")]),
        structured(opened(10)),
    )
    await wait_taken(stack, accepted=5, refused=4)
    assert await stack.total("cashless_accounts", THANH_HOA) == (18, 0)
    assert (await stack.classes())["duplicates"] == 1
    told = await read_refused(stack.kafka_settings, "bank")
    assert [(each["data"]["offset"], each["data"]["code"]) for each in told] == [
        (1, "not_json"),
        (3, "source_not_yours"),
        (5, "personal_data"),
        (7, "not_an_object"),
    ]
    kept = await read_rejected(stack.kafka_settings)
    assert [each["id"] for each in kept] == [each["id"] for each in told]
    assert CITIZEN not in str(told) + str(kept) + stack.log_tail("ingest")
    listed = await run_uptake(stack, "rejected", "list", "--agency=bank", "--json")
    assert listed.status == 0
    rows = {row["id"]: row["code"] for row in json.loads(listed.out)["records"]}
    assert rows[f"{SUBMISSIONS}bank/0/3"] == "source_not_yours"
    of_code = await run_uptake(stack, "rejected", "list", "--code=not_json", "--json")
    assert [row["offset"] for row in json.loads(of_code.out)["records"]] == [1], of_code
    redriven = await run_uptake(stack, "rejected", "redrive", "--all")
    assert (redriven.status, redriven.out) == (0, "redriven 0 of 0\n")
    named = await run_uptake(stack, "rejected", "redrive", f"{SUBMISSIONS}bank/0/3")
    assert named.status == 1
    assert "refused at the door" in named.out
    _, metrics = await stack.get("ingest", "/metrics")
    assert 'uptake_events_accepted_total{agency="bank"} 5.0' in metrics
    assert 'uptake_submissions_lag_records{agency="bank"} 0.0' in metrics


async def test_repeat_after_a_crash_counts_once(submitting: Stack) -> None:
    """Everything read again: the same totals, refusals told again under their ids."""
    stack = submitting
    records = [structured(opened(1)) for _ in range(20)]
    await submit(stack.kafka_settings, "bank", *records, Sent(b"bad"))
    await wait_taken(stack, accepted=20, refused=1)
    await stack.kill("ingest")
    consumer = make_consumer(stack.kafka_settings, group_id=SUBMISSIONS_GROUP)
    partition = TopicPartition(f"{SUBMISSIONS}bank", 0)
    await consumer.start()
    try:
        consumer.subscribe([partition.topic])

        async def is_ours() -> bool:
            await consumer.getmany(timeout_ms=100)
            return partition in consumer.assignment()

        await eventually(is_ours, seconds=REJOIN_SECONDS_MAX, what="assignment")
        await consumer.commit({partition: 0})
    finally:
        await consumer.stop()
    await stack.start("ingest")
    await wait_taken(stack, accepted=40, refused=2)
    assert await stack.total("cashless_accounts", THANH_HOA) == (20, 0)
    assert (await stack.classes())["duplicates"] == 20
    told = await read_refused(stack.kafka_settings, "bank")
    assert [each["id"] for each in told] == [f"{SUBMISSIONS}bank/0/20"] * 2


async def test_killed_ingest_loses_and_doubles_no_submission(
    submitting: Stack,
) -> None:
    """SIGKILL at seeded moments while an agency writes: exact in the end."""
    stack = submitting
    chance = random.Random(20)  # noqa: S311 -- a seeded plan
    good = [structured(opened(1)) for _ in range(1_500)]
    bad = [Sent(b"bad %d" % number) for number in range(60)]
    records = [*good, *bad]
    chance.shuffle(records)

    async def write() -> None:
        for first in range(0, len(records), 60):
            await submit(stack.kafka_settings, "bank", *records[first : first + 60])
            await asyncio.sleep(0.05)

    async def kill() -> None:
        for _ in range(3):
            await asyncio.sleep(chance.uniform(0.5, 2.0))
            await stack.kill("ingest")
            stack.spawn("ingest")

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        group.create_task(kill())
    await stack.wait_ready("ingest")
    places = {f"{SUBMISSIONS}bank/0/{n}" for n, r in enumerate(records) if r in bad}

    async def is_all_taken() -> bool:
        told = await read_refused(stack.kafka_settings, "bank")
        counted = (await stack.classes())["counted"]
        return counted == len(good) and {each["id"] for each in told} == places

    await eventually(
        is_all_taken,
        seconds=REJOIN_SECONDS_MAX,
        what=f"everything taken: {await stack.classes()}",
    )
    assert await stack.total("cashless_accounts", THANH_HOA) == (len(good), 0)
    kept = Counter(each["id"] for each in await read_rejected(stack.kafka_settings))
    assert set(kept) == places

    async def is_committed() -> bool:
        return await committed(stack) == len(records)

    await eventually(is_committed, seconds=REJOIN_SECONDS_MAX, what="all committed")


async def test_missing_topic_is_said_and_leaves_the_door_open(stack: Stack) -> None:
    """A new agency in the catalogue must not close the door to all others."""
    write_agency(stack.catalogue, "bank", "38", has_topic=True)
    await stack.start("ingest")

    async def is_said() -> bool:
        return "agency_topics_missing" in (stack.folder / "ingest" / "log").read_text(
            encoding="utf-8"
        )

    await eventually(is_said, what="agency_topics_missing in the log")
    assert (await stack.post(opened(1))).status == 202


@pytest.mark.kafka
async def test_packed_submissions_are_unpacked_by_the_broker(
    submitting: Stack,
) -> None:
    """No codec that we lack, and no bomb: the broker holds it to its limit."""
    stack = submitting
    await submit(stack.kafka_settings, "bank", structured(opened(4)), packed="gzip")
    bomb = Sent(b" " * 900_000)
    await submit(stack.kafka_settings, "bank", bomb, packed="gzip")
    await submit(stack.kafka_settings, "bank", structured(opened(3)), packed="gzip")
    await wait_taken(stack, accepted=2, refused=1)
    assert await stack.total("cashless_accounts", THANH_HOA) == (7, 0)
    told = await read_refused(stack.kafka_settings, "bank")
    assert "at most 65,536" in told[0]["data"]["detail"]
