"""Rejected records: seen, sent again, dropped, and never counted twice."""

import base64
import hashlib
import json
from collections.abc import Sequence

import pytest

from shared.events.rejected_v1 import RejectedDataV1, RejectedV1
from shared.events.topics import EVENTS, REJECTED
from shared.kafka.broker import make_producer
from shared.kafka.whole_topic import open_topic
from tests.support.events import THANH_HOA, now, opened, reversal
from tests.support.stack import Stack, eventually
from tests.support.uptake_command import Ran, run_uptake

pytestmark = pytest.mark.timeout(180)
EXIT_SECONDS_MAX = 30


async def produce(
    stack: Stack, topic: str, messages: Sequence[tuple[bytes | None, bytes]]
) -> None:
    """Append key and value as no service of ours would."""
    producer = make_producer(stack.kafka_settings, linger_ms=0)
    await producer.start()
    try:
        for key, value in messages:
            await producer.send_and_wait(topic, value, key=key, partition=0)
    finally:
        await producer.stop()


async def read_all(stack: Stack, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    """Return keys and values of a topic."""
    async with open_topic(stack.kafka_settings, topic) as records:
        return [(record.key, record.value) async for record in records]


async def listed(stack: Stack, *words: str) -> list[dict[str, object]]:
    """Return what `uptake rejected list` lists."""
    ran = await run_uptake(stack, "rejected", "list", "--json", *words)
    assert ran.status == 0, ran
    records = json.loads(ran.out)["records"]
    assert isinstance(records, list)
    return records


async def wait_rejected(stack: Stack, count: int) -> None:
    """Wait until so many messages stand on `uptake.rejected`."""

    async def are_there() -> bool:
        return len(await read_all(stack, REJECTED)) >= count

    await eventually(are_there, what=f"{count} messages on uptake.rejected")


async def redrive(stack: Stack, *words: str) -> Ran:
    """Redrive and return what the command said."""
    ran = await run_uptake(stack, "rejected", "redrive", *words)
    assert ran.status == 0, ran
    return ran


def rejected_by_a_bad_deploy(key: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Make the message that an aggregation which cannot read would have published."""
    identity = f"{EVENTS}/0/1000"
    message = RejectedV1(
        id=identity,
        source="/uptake/aggregation",
        time=now(),
        data=RejectedDataV1(
            code="unreadable",
            detail="not an admitted event",
            topic=EVENTS,
            partition=0,
            offset=1_000,
            logged_at=now(),
            key=base64.b64encode(key).decode(),
            bytes=base64.b64encode(value).decode(),
            sha256=hashlib.sha256(value).hexdigest(),
        ),
    )
    return identity.encode(), message.model_dump_json().encode()


async def test_rejected_again_is_a_record_of_its_own(stack: Stack) -> None:
    """A conflict and a second reversal stay rejected, however often they are sent."""
    await stack.start("ingest", "aggregation")
    once = opened(5)
    conflict = {**once, "data": {**once["data"], "count": 6}}
    voided = opened(7)
    batch = [once, conflict, voided, reversal(voided), reversal(voided)]
    assert (await stack.post(batch)).body["accepted"] == 5
    await stack.wait_applied(5)
    await wait_rejected(stack, 2)
    ran = await run_uptake(stack, "rejected", "list")
    assert ran.widest <= 80, ran.out
    assert "2 open, 0 redriven, 0 dropped" in ran.out
    (row,) = await listed(stack, "--code", "conflicting_duplicate")
    place = f"{row['partition']}/{row['offset']}"
    assert row["agency"] == "bank"
    assert await listed(stack, "--agency", "shop") == []
    assert await listed(stack, "--since", "2100-01-01") == []

    ran = await run_uptake(stack, "rejected", "show", place)
    assert '"count": 6' in ran.out
    assert "other content" in ran.out
    assert ran.widest <= 80
    ran = await run_uptake(stack, "rejected", "show", place, "--json")
    assert json.loads(ran.out)["event"]["id"] == once["id"]

    before = await read_all(stack, EVENTS)
    said = await redrive(stack, place)
    assert f"{place}  redriven to " in said.out
    assert "redriven 0 of 0" in (await redrive(stack, place)).out
    await stack.wait_applied(6)
    after = await read_all(stack, EVENTS)
    again = [record for record in after if after.count(record) > before.count(record)]
    assert len(after) == len(before) + 1
    assert again[0] in before
    await wait_rejected(stack, 4)
    states = [row["state"] for row in await listed(stack)]
    assert sorted(map(str, states)) == ["open", "open", "redriven"]
    await redrive(stack, "--all", "--limit", "1")
    await stack.wait_applied(7)
    assert await stack.classes() == {
        "counted": 2,
        "duplicates": 0,
        "reversed": 1,
        "rejected": 4,
    }
    assert await stack.total("cashless_accounts", THANH_HOA) == (5, 0)


async def test_record_of_a_bad_deploy_counts_once(stack: Stack) -> None:
    """However often it is redriven, also where the mark was lost in a crash."""
    await stack.start("ingest", "aggregation")
    await stack.post(opened(5))
    await stack.wait_applied(1)
    ((key, value),) = await read_all(stack, EVENTS)
    assert key is not None
    assert value is not None
    event = json.loads(value)
    fresh = json.dumps({**event, "id": "never counted"}).encode()
    await produce(stack, REJECTED, [rejected_by_a_bad_deploy(key, fresh)])
    await redrive(stack, "0/1000")
    await stack.wait_applied(2)
    assert await stack.total("cashless_accounts", THANH_HOA) == (10, 0)
    # The bytes themselves, as a crash between sending and marking would leave them.
    await produce(stack, EVENTS, [(key, fresh)])
    await stack.wait_applied(3)
    assert await stack.total("cashless_accounts", THANH_HOA) == (10, 0)
    assert (key, fresh) in await read_all(stack, EVENTS)
    (row,) = await listed(stack)
    assert (row["state"], row["code"]) == ("redriven", "unreadable")


async def test_dropping_only_marks(stack: Stack) -> None:
    """The reason is kept; the record too, and it can still be redriven."""
    await stack.start("aggregation")
    await produce(stack, EVENTS, [(b"bank", b"noise"), (None, b"\xff")])
    await stack.wait_applied(2)
    await wait_rejected(stack, 2)
    ran = await run_uptake(stack, "rejected", "drop", "0/0")
    assert ran.status == 2, ran
    assert "--reason" in ran.errors
    ran = await run_uptake(stack, "rejected", "drop", "0/0", "--reason", "a test")
    assert (ran.status, ran.errors) == (0, ""), ran
    rows = {row["offset"]: row for row in await listed(stack)}
    assert (rows[0]["state"], rows[0]["reason"]) == ("dropped", "a test")
    assert rows[1]["state"] == "open"
    assert rows[1]["agency"] is None
    assert await stack.applied() == 2
    ran = await run_uptake(stack, "rejected", "show", "0/0")
    assert "a test" in ran.out
    # All open ones: the one without a key, to its own partition.
    await redrive(stack, "--all")
    await stack.wait_applied(3)
    await redrive(stack, "0/0")
    await stack.wait_applied(4)
    await wait_rejected(stack, 7)
    states = [row["state"] for row in await listed(stack)]
    assert sorted(map(str, states)) == ["open", "open", "redriven", "redriven"]
    ran = await run_uptake(stack, "rejected", "drop", "0/0", "--reason", "late")
    assert ran.status == 1
    assert "was redriven" in ran.errors


async def test_what_is_not_there_is_said_in_one_line(stack: Stack) -> None:
    """Empty topic, unknown record, wrong words, no broker."""
    ran = await run_uptake(stack, "rejected", "list")
    assert (ran.status, ran.out) == (0, "no rejected record\n"), ran
    for words in (("show", "0/7"), ("redrive", "0/7"), ("list", "--since", "noon")):
        ran = await run_uptake(stack, "rejected", *words)
        assert ran.status == 1, ran
        assert len(ran.errors.splitlines()) == 1
    ran = await run_uptake(stack, "rejected", "redrive")
    assert ran.status == 2
    assert "say which records" in ran.errors
    for line in ("list", "redrive --all"):
        ran = await run_uptake(
            stack,
            "rejected",
            *line.split(),
            UPTAKE_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:9",
        )
        assert ran.status == 1, ran
        assert len(ran.errors.splitlines()) == 1, ran
        assert "kafka is away" in ran.errors


async def test_too_many_unreadable_records_stop_aggregation(stack: Stack) -> None:
    """Before they are rejected, also when it is started again and again."""
    stack.overrides["UPTAKE_UNREADABLE_RECORDS_MAX"] = "2"
    await produce(stack, EVENTS, [(b"bank", b"noise 1"), (b"bank", b"noise 2")])
    await stack.start("ingest", "aggregation")
    await stack.wait_applied(2)
    await wait_rejected(stack, 2)
    await stack.kill("aggregation")
    await produce(stack, EVENTS, [(b"bank", b"noise 3")])
    for _ in range(2):
        child = stack.spawn("aggregation")
        assert await child.wait(EXIT_SECONDS_MAX) == 1, stack.log_tail("aggregation")
        assert "3 of the 10000 records up to offset 2" in stack.log_tail("aggregation")
        assert await stack.applied() == 2
    # Whoever knows that it is noise says so, and nothing was lost meanwhile.
    stack.overrides["UPTAKE_UNREADABLE_RECORDS_MAX"] = "3"
    await stack.start("aggregation")
    await stack.wait_applied(3)


async def test_senders_cannot_stop_aggregation(stack: Stack) -> None:
    """Conflicts and wrong reversals are their own affair."""
    stack.overrides["UPTAKE_UNREADABLE_RECORDS_MAX"] = "0"
    await stack.start("ingest", "aggregation")
    once = opened(1)
    conflicts = [{**once, "data": {**once["data"], "count": n}} for n in range(2, 30)]
    wrong = [{**reversal(once), "id": f"r{n}"} for n in range(5)]
    assert (await stack.post([once, *conflicts, *wrong])).body["refused"] == []
    await stack.wait_applied(34)
    assert stack.children["aggregation"].is_running()
    assert (await stack.classes())["rejected"] == 28 + 4
