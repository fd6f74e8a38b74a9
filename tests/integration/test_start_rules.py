"""What aggregation refuses to start on, and what it waits for."""

import asyncio
import signal

import pytest
from aiokafka.admin import NewTopic

from shared.events.topics import EVENTS
from shared.kafka.broker import admin_client
from shared.kafka.topic_setup import create_topics
from tests.support.events import THANH_HOA, opened
from tests.support.stack import PARTITIONS, Stack, eventually

EXIT_SECONDS_MAX = 30


async def refused_start(stack: Stack, service: str, **settings: str) -> str:
    """Start a service that must refuse; return its last log lines."""
    child = stack.spawn(service, **settings)
    status = await child.wait(EXIT_SECONDS_MAX)
    assert status == 1, f"exit status {status}: {stack.log_tail(service)}"
    return stack.log_tail(service)


async def recreate_log(stack: Stack, *, records: int) -> None:
    """Delete the log, make it again and fill it with other records."""
    await stack.kill("aggregation")
    async with admin_client(stack.kafka_settings) as admin:
        await admin.delete_topics([EVENTS])

        async def is_gone() -> bool:
            return EVENTS not in await admin.list_topics()

        await eventually(is_gone, what="the log is deleted")
    await create_topics(stack.kafka_settings)
    if records:
        await stack.kill("ingest")
        await stack.start("ingest")
        for _ in range(records):
            assert (await stack.post(opened(1))).status == 202


@pytest.mark.parametrize("records", [0, 2, 3, 5])
async def test_recreated_topic_is_refused_in_one_line(
    stack: Stack, records: int
) -> None:
    """Empty, shorter, as long or longer: another log is never counted on top."""
    await stack.start("ingest", "aggregation")
    for _ in range(3):
        await stack.post(opened(5))
    await stack.wait_applied(3)
    await recreate_log(stack, records=records)
    said = await refused_start(stack, "aggregation")
    assert "uptake.events partition" in said
    assert "nothing was skipped" in said
    assert await stack.total("cashless_accounts", THANH_HOA) == (15, 0)


async def test_other_partition_count_is_refused(stack: Stack) -> None:
    """The count is fixed at creation: another one would scatter an agency."""
    for service in ("ingest", "aggregation"):
        said = await refused_start(stack, service, UPTAKE_KAFKA_PARTITIONS="7")
        assert "has 4 partitions, not 7" in said


async def test_topic_that_forgets_is_refused(stack: Stack) -> None:
    """A log with a retention time would make a rebuild impossible."""
    async with admin_client(stack.kafka_settings) as admin:
        await admin.delete_topics([EVENTS])

        async def is_gone() -> bool:
            return EVENTS not in await admin.list_topics()

        await eventually(is_gone, what="the log is deleted")
        made = NewTopic(EVENTS, PARTITIONS, 1, topic_configs={"retention.ms": "1000"})
        await admin.create_topics([made])
    said = await refused_start(stack, "ingest")
    assert "uptake.events has retention" in said


async def test_bad_settings_end_the_start_with_one_line(stack: Stack) -> None:
    """Every wrong variable is named, and no secret is shown."""
    for service in ("ingest", "aggregation", "alerting"):
        child = stack.spawn(
            service,
            UPTAKE_HTTP_PORT="many",
            UPTAKE_CATALOGUE="/nowhere",
            UPTAKE_POSTGRES_DSN="postgresql://u:hunter2@127.0.0.1/x",
        )
        assert await child.wait(EXIT_SECONDS_MAX) == 2
        said = stack.log_tail(service)
        assert "UPTAKE_HTTP_PORT" in said
        assert "UPTAKE_CATALOGUE" in said
        assert "hunter2" not in said


async def test_port_in_use_is_named_with_what_to_set(stack: Stack) -> None:
    """A taken port ends the start with one line."""
    await stack.start("ingest")
    taken = str(stack.ports["ingest"])
    child = stack.spawn("aggregation", UPTAKE_HTTP_PORT=taken)
    assert await child.wait(EXIT_SECONDS_MAX) == 1
    said = stack.log_tail("aggregation")
    assert taken in said
    assert "UPTAKE_HTTP_PORT" in said


async def test_service_waits_for_postgres_and_says_so(stack: Stack) -> None:
    """A start during an outage waits, visibly, and goes on by itself."""
    dsn = stack.dsn
    child = stack.spawn(
        "aggregation", UPTAKE_POSTGRES_DSN="postgresql://postgres@127.0.0.1:1/x"
    )

    async def says_why() -> bool:
        await asyncio.sleep(0)
        return "postgres does not answer" in stack.log_tail("aggregation")

    await eventually(says_why, what="the log names the outage")
    status, body = await stack.get("aggregation", "/health/ready")
    assert status == 503
    assert "postgres" in body
    assert (await stack.get("aggregation", "/health/live"))[0] == 200
    await child.kill()
    assert dsn == stack.dsn
    await stack.start("aggregation")


async def test_stop_is_graceful_and_quick(stack: Stack) -> None:
    """SIGTERM ends each service with status 0 in a few seconds."""
    await stack.start("ingest", "aggregation")
    await stack.post(opened(2))
    for service in ("ingest", "aggregation"):
        child = stack.children[service]
        child.send(signal.SIGTERM)
        assert await child.wait(10) == 0, stack.log_tail(service)
