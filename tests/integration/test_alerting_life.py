"""The alerting service through restarts, repetitions, replicas and wrong topics."""

import asyncio
import os
import time

import pytest

from services.cli.embedded.ports import free_port
from shared.events.topics import TOTALS
from shared.kafka.broker import admin_client, make_producer
from shared.kafka.topic_setup import create_topics
from tests.support.debian_servers import find_tool
from tests.support.stack import Stack, eventually
from tests.support.totals import (
    Total,
    day_total,
    publish_totals,
    stated,
    status_of,
    target,
    wait_alert,
    wait_notices,
    wait_status,
    watermarks,
    write_targets,
)

pytestmark = pytest.mark.timeout(120)


async def wait_copied(stack: Stack, revision: int) -> None:
    """Wait until watermarks of a revision have been copied."""

    async def is_copied() -> bool:
        rows = await stack.fetch("SELECT min(revision) FROM alerting.watermark")
        return bool(rows[0][0] == revision)

    await eventually(is_copied, what=f"watermarks of revision {revision} copied")


async def wait_exit(stack: Stack, service: str = "alerting") -> int:
    """Wait until a service has ended; return its exit status."""
    status = await stack.children[service].wait(20)
    assert status is not None, f"{service} goes on: {stack.log_tail(service)}"
    return status


async def test_killed_service_goes_on_with_the_episode_it_had(stack: Stack) -> None:
    """SIGKILL while firing: after the restart nothing fires anew."""
    write_targets(stack.catalogue, target())
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    await stack.start("alerting")
    await wait_alert(stack, "firing")
    since = (await status_of(stack))["status_since"]
    # A notice that was sent and not yet marked so would be sent again, with its id.
    await wait_notices(stack, 2)
    await stack.kill("alerting")
    await publish_totals(
        stack, [day_total(120, days_ago=20, revision=2), *watermarks(revision=2)]
    )
    await stack.start("alerting")
    row = await wait_status(stack, "lagging", actual=120)
    assert row["status_since"] == since
    await publish_totals(
        stack, [day_total(700, days_ago=20, revision=3), *watermarks(revision=3)]
    )
    await wait_alert(stack, "resolved")
    notices = await wait_notices(stack, 4)
    assert [notice.data.state for notice in notices] == [
        "pending",
        "firing",
        "kept",
        "resolved",
    ]


async def test_older_revision_changes_nothing(stack: Stack) -> None:
    """A late redelivery never turns a total back, nor does the same one twice."""
    write_targets(stack.catalogue, target())
    newest: list[Total] = [
        day_total(600, days_ago=20, revision=9),
        stated(500, days_ago=30, revision=9),
    ]
    await publish_totals(stack, [*newest, *watermarks()])
    await stack.start("alerting")
    await wait_copied(stack, 1)
    await publish_totals(
        stack,
        [
            day_total(100, days_ago=20, revision=3),
            stated(100, days_ago=30, revision=3),
            *newest,
            *watermarks(revision=2),
        ],
    )
    await wait_copied(stack, 2)
    rows = await stack.fetch("SELECT level FROM alerting.unit")
    assert [row["level"] for row in rows] == [1100]


async def test_voided_statement_gives_way_to_the_one_before(stack: Stack) -> None:
    """And without any statement the effects are the level."""
    write_targets(stack.catalogue, target(goal=100_000))
    await publish_totals(
        stack,
        [
            day_total(10, days_ago=25),
            day_total(20, days_ago=15),
            day_total(40, days_ago=5),
            stated(1_000, days_ago=20),
            stated(5_000, days_ago=10),
            *watermarks(),
        ],
    )
    await stack.start("alerting")
    for revision, day, level in ((1, 0, 5_040), (2, 10, 1_060), (3, 20, 70)):
        if day:
            await publish_totals(
                stack,
                [
                    stated(None, days_ago=day, revision=revision),
                    *watermarks(revision=revision),
                ],
            )
        await wait_status(stack, "lagging", actual=level)


async def test_two_replicas_tell_each_transition_once(stack: Stack) -> None:
    """Whoever evaluates, publishes or copies: one life, one message per state."""
    write_targets(stack.catalogue, *[target(f"test-{number}") for number in range(20)])
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    second = free_port()
    await stack.start("alerting")
    first = stack.children["alerting"]
    stack.spawn("alerting", UPTAKE_HTTP_PORT=str(second))
    stack.ports["alerting"] = second
    try:
        await stack.wait_ready("alerting")
        for revision in range(2, 6):
            await publish_totals(
                stack,
                [
                    day_total(100 + revision, days_ago=20, revision=revision),
                    *watermarks(revision=revision),
                ],
            )
        await wait_firing(stack, 20)
        await publish_totals(
            stack, [day_total(700, days_ago=20, revision=9), *watermarks(revision=9)]
        )
        await wait_firing(stack, 0)
        rows = await stack.fetch("SELECT DISTINCT actual FROM reporting.target_status")
        assert [row["actual"] for row in rows] == [700]
        notices = await wait_notices(stack, 80)
        assert len({notice.id for notice in notices}) == 80
        assert first.is_running()
        assert stack.children["alerting"].is_running()
    finally:
        await first.kill()


async def wait_firing(stack: Stack, count: int) -> None:
    """Wait until so many alerts are raised."""

    async def is_so() -> bool:
        rows = await stack.fetch(
            "SELECT count(*) FROM reporting.alert WHERE state IN ('firing', 'kept')"
        )
        return bool(rows[0][0] == count)

    await eventually(is_so, what=f"{count} alerts raised")


async def test_old_watermark_makes_targets_unknown_and_stills_alerts(
    stack: Stack,
) -> None:
    """Nothing resolves while figures are old; the reason is said."""
    write_targets(stack.catalogue, target())
    await stack.start("alerting")
    row = await wait_status(stack, "unknown")
    assert row["reason"] == "platform"
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    await wait_alert(stack, "firing")


async def test_removed_target_resolves_and_its_return_is_a_new_episode(
    stack: Stack,
) -> None:
    """With the same fingerprint."""
    write_targets(stack.catalogue, target(), target("test-other"))
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    await stack.start("alerting")
    await wait_firing(stack, 2)
    await stack.kill("alerting")
    write_targets(stack.catalogue, target("test-other"))
    await stack.start("alerting")
    await wait_firing(stack, 1)
    assert await status_of(stack) == {}
    await stack.kill("alerting")
    write_targets(stack.catalogue, target(goal=2000), target("test-other"))
    await stack.start("alerting")
    await wait_firing(stack, 2)
    rows = await stack.fetch(
        "SELECT episode FROM reporting.alert WHERE target = 'test-cashless'"
    )
    assert [row["episode"] for row in rows] == [2]


async def test_target_added_later_knows_what_was_copied_before(stack: Stack) -> None:
    """Its sums are made from the copy, not from the topic."""
    write_targets(stack.catalogue, target())
    await publish_totals(
        stack,
        [day_total(100, days_ago=20), stated(30, days_ago=22), *watermarks()],
    )
    await stack.start("alerting")
    await wait_status(stack, "lagging", actual=130)
    await stack.kill("alerting")
    write_targets(stack.catalogue, target(), target("test-nation", locality="VN"))
    await stack.start("alerting")
    await wait_status(stack, "lagging", target_id="test-nation", actual=130)


async def test_recreated_topic_is_refused_in_one_line(stack: Stack) -> None:
    """Shorter than the copy, or with other records in it."""
    write_targets(stack.catalogue, target())
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    await stack.start("alerting")
    await wait_copied(stack, 1)
    await stack.kill("alerting")
    async with admin_client(stack.kafka_settings) as admin:
        await admin.delete_topics([TOTALS])

        async def is_gone() -> bool:
            return TOTALS not in await admin.list_topics()

        await eventually(is_gone, what="topic deleted")
    assert await create_topics(stack.kafka_settings) == (TOTALS,)
    stack.spawn("alerting")
    assert await wait_exit(stack) == 1
    assert "the topic was made anew" in stack.log_tail("alerting")
    # Longer than before, with other records where the copy ends.
    await publish_totals(
        stack, [m for number in range(5) for m in watermarks(revision=number + 5)]
    )
    stack.spawn("alerting")
    assert await wait_exit(stack) == 1
    assert "the topic was made anew" in stack.log_tail("alerting")


async def test_record_that_cannot_be_read_stops_the_service(stack: Stack) -> None:
    """FastStream would swallow it and read on; here it ends with exit 1."""
    write_targets(stack.catalogue, target())
    await stack.start("alerting")
    producer = make_producer(stack.kafka_settings, linger_ms=0)
    await producer.start()
    try:
        await producer.send_and_wait(TOTALS, b"not a total", key=b"x", partition=1)
    finally:
        await producer.stop()
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    assert await wait_exit(stack) == 1
    assert "cannot read record 0 of partition 1" in stack.log_tail("alerting")
    rows = await stack.fetch("SELECT next_offset FROM alerting.position")
    assert rows[1]["next_offset"] == 0


async def test_service_stops_within_five_seconds(stack: Stack) -> None:
    """SIGTERM: exit 0, whether it works or still waits for Kafka."""
    write_targets(stack.catalogue, target())
    await stack.start("alerting")
    for _ in range(2):
        child = stack.children["alerting"]
        started = time.monotonic()
        os.kill(child.pid, 15)
        assert await wait_exit(stack) == 0
        assert time.monotonic() - started < 5
        nowhere = f"127.0.0.1:{free_port()}"
        stack.spawn("alerting", UPTAKE_KAFKA_BOOTSTRAP_SERVERS=nowhere)
        await wait_answer(stack, 503)
        _, body = await stack.get("alerting", "/health/ready")
        assert '"kafka":"kafka is away' in body
    os.kill(stack.children["alerting"].pid, 15)
    assert await wait_exit(stack) == 0


async def wait_answer(stack: Stack, wanted: int) -> None:
    """Wait until the service answers its probe with a status."""

    async def is_answered() -> bool:
        try:
            status, body = await stack.get("alerting", "/health/ready")
        except OSError:
            return False
        return status == wanted and "kafka is away" in body

    await eventually(is_answered, what=f"ready says {wanted}")


@pytest.mark.debian
async def test_metrics_pass_promtool(stack: Stack) -> None:
    """`promtool check metrics` has nothing to say, with targets of every level."""
    write_targets(
        stack.catalogue,
        target(),
        target("test-nation", locality="VN"),
        target("test-commune", locality="15961"),
    )
    await publish_totals(stack, [day_total(100, days_ago=20), *watermarks()])
    await stack.start("alerting")
    await wait_firing(stack, 3)

    async def shows_targets() -> bool:
        return (
            'kind="TargetLagging"} 3.0' in (await stack.get("alerting", "/metrics"))[1]
        )

    await eventually(shows_targets, what="firing alerts in the metrics")
    _, text = await stack.get("alerting", "/metrics")
    assert 'uptake_target_position_ratio{target="test-cashless"} 0.2' in text
    assert 'status="lagging",target="test-nation"} 1.0' in text
    assert "test-commune" not in text
    process = await asyncio.create_subprocess_exec(
        find_tool("promtool"),
        "check",
        "metrics",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate(text.encode())
    assert (process.returncode, said.decode()) == (0, "")
