"""Every way in leads to the same totals, and what is sent twice counts once."""

import json
import sys
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.events.cloudevent_v1 import BATCH, STREAM, STRUCTURED
from tests.support.events import THANH_HOA, opened
from tests.support.stack import Answer, Stack

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@pytest.fixture
async def door(stack: Stack) -> AsyncIterator[Stack]:
    """Run ingest and aggregation."""
    await stack.start("ingest", "aggregation")
    yield stack
    assert stack.children["ingest"].is_running(), stack.log_tail("ingest")


async def send(
    door: Stack, body: bytes, content_type: str, **headers: str
) -> dict[str, Any]:
    """Send a body that must be taken whole; return the receipt."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: Answer = await door.post(body, content_type=content_type, headers=named)
    assert answer.status == 202, answer
    assert answer.body["received"] == answer.body["accepted"]
    receipt: dict[str, Any] = answer.body
    return receipt


async def test_one_event_by_every_way_counts_once(door: Stack) -> None:
    """It is the same event, with the same content, however it came."""
    event = opened(7)
    text = json.dumps(event).encode()
    attributes = {f"ce_{name}": event[name] for name in event if name != "data"}
    data = json.dumps(event["data"]).encode()
    sent = 0
    for packed, headers in (
        (bytes, {}),
        (lambda plain: zlib.compress(plain, wbits=31), {"content_encoding": "gzip"}),
        (zstd.compress, {"content_encoding": "zstd"}),
    ):
        for body, kind, more in (
            (text, STRUCTURED, {}),
            (b"[" + text + b"]", BATCH, {}),
            (text + b"\r\n", STREAM, {}),
            (data, "application/json", attributes),
        ):
            receipt = await send(door, packed(body), kind, **headers, **more)
            assert receipt["accepted"] == 1
            sent += 1
    await door.wait_applied(sent)
    assert await door.total("cashless_accounts", THANH_HOA) == (7, 0)
    assert await door.classes() == {
        "counted": 1,
        "duplicates": sent - 1,
        "reversed": 0,
        "rejected": 0,
    }


async def test_stream_sent_again_changes_nothing(door: Stack) -> None:
    """A file of many parts; the second time every line of it is a duplicate."""
    count = 5_000
    lines = b"".join(json.dumps(opened(1)).encode() + b"\n" for _ in range(count))
    for times in (1, 2):
        receipt = await send(door, lines, STREAM)
        assert receipt["durable_through_line"] == receipt["accepted"] == count
        await door.wait_applied(count * times)
        assert await door.total("cashless_accounts", THANH_HOA) == (count, 0)
