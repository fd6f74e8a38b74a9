"""A record that the client library cannot read stops its own topic, and no other."""

import asyncio
import json
import os
import sys

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from shared.events.topics import SUBMISSIONS
from shared.kafka.broker import admin_client
from tests.support.catalogues import write_agency
from tests.support.events import HOANG_LOC, event, opened
from tests.support.stack import Stack, eventually
from tests.support.submitting import structured, submit

pytestmark = pytest.mark.timeout(120)


BANK = TopicPartition(f"{SUBMISSIONS}bank", 0)


async def write_unreadable(stack: Stack, *events: dict[str, object]) -> None:
    """Write an unreadable record between two events, to the bank's topic."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.unreadable_record",
        stack.bootstrap_servers,
        f"{SUBMISSIONS}bank",
        stdin=asyncio.subprocess.PIPE,
        env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"},
    )
    lines = "".join(f"{json.dumps(each)}\n" for each in events)
    await process.communicate(lines.encode())
    assert process.returncode == 0


async def test_an_unreadable_record_stops_its_own_topic_only(stack: Stack) -> None:
    """What came before it counts, the rest goes on, and deleting it is the way out."""
    for agency, top in (("bank", "38"), ("census", "VN")):
        write_agency(stack.catalogue, agency, top, has_topic=True)
    await stack.migrate()
    await stack.start("ingest", "aggregation")
    await submit(stack.kafka_settings, "bank", structured(opened(1)))
    await stack.wait_applied(1)
    await write_unreadable(stack, opened(2), opened(4))

    async def is_told() -> bool:
        return "submission_unreadable" in stack.log_tail("ingest")

    await eventually(is_told, what="the unreadable record is told")
    await stack.wait_applied(2)
    others = event(source="/test/census", locality=HOANG_LOC, count=16)
    await submit(stack.kafka_settings, "census", structured(others))
    await stack.wait_applied(3)
    assert (await stack.post(opened(32))).status == 202
    await stack.wait_applied(4)
    assert (await stack.total("cashless_accounts", HOANG_LOC))[0] == 1 + 2 + 16 + 32
    assert stack.children["ingest"].is_running()
    if stack.is_embedded:
        # Its broker deletes no records.
        return
    async with admin_client(stack.kafka_settings) as admin:
        await admin.delete_records({BANK: RecordsToDelete(before_offset=4)})
    await submit(stack.kafka_settings, "bank", structured(opened(64)))
    await stack.wait_applied(5)
