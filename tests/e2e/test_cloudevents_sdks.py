"""The official CloudEvents SDKs talk to the door unchanged, in every mode they offer.

An event that is sent in several modes is one event: it counts once.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cloudevents.core.bindings import http
from cloudevents.core.bindings.http import HTTPMessage
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1.conversion import to_binary, to_structured
from cloudevents.v1.http import CloudEvent as CloudEventBefore

from tests.support.catalogues import KEYS
from tests.support.events import THANH_HOA, opened
from tests.support.stack import Stack

pytestmark = pytest.mark.embedded
JAVASCRIPT = Path(__file__).parent / "javascript"
INSTALL_SECONDS_MAX = 240
NODE_MIN = 18
"""Of the SDK that is pinned, and Debian 12's; the SDK's version 10 wants 20."""


@pytest.fixture
async def door(stack: Stack) -> AsyncIterator[Stack]:
    """Run ingest and aggregation."""
    await stack.start("ingest", "aggregation")
    yield stack
    assert stack.children["ingest"].is_running(), stack.log_tail("ingest")


def three_events() -> list[dict[str, Any]]:
    """Make three events; an id and a subject hold what header fields must encode."""
    first, second, third = (opened(count) for count in (1, 2, 3))
    second["id"] += ' "50 %" – Thành phố'
    third["subject"] = "kỳ 11"
    return [first, second, third]


async def deliver(door: Stack, message: HTTPMessage) -> dict[str, Any]:
    """Send what the SDK made, as any HTTP client would."""
    url = f"http://127.0.0.1:{door.ports['ingest']}/v1/events"
    headers = {**message.headers, "authorization": f"Bearer {KEYS['bank']}"}
    async with (
        aiohttp.ClientSession(skip_auto_headers=("content-type",)) as session,
        session.post(url, data=message.body, headers=headers) as answer,
    ):
        receipt: dict[str, Any] = await answer.json(content_type=None)
        assert answer.status == 202, receipt
        return receipt


def python_messages(event: dict[str, Any]) -> list[HTTPMessage]:
    """Write an event with both of the Python SDK's interfaces, in both modes."""
    attributes = {name: value for name, value in event.items() if name != "data"}
    typed = {**attributes, "time": datetime.fromisoformat(event["time"])}
    current = CloudEvent(typed, event["data"])
    messages = [http.to_binary_event(current), http.to_structured_event(current)]
    # The older interface encodes no header field: plain attributes only.
    if str(attributes).isascii() and " " not in event["id"]:
        before = CloudEventBefore(attributes, event["data"])
        for write in (to_binary, to_structured):
            headers, body = write(before)
            messages.append(HTTPMessage(dict(headers), body or b""))
    return messages


async def test_python_sdk_is_understood(door: Stack) -> None:
    """Binary, with and without a content type, and structured."""
    events = three_events()
    sent = 0
    for event in events:
        for message in python_messages(event):
            receipt = await deliver(door, message)
            assert receipt == {"received": 1, "accepted": 1, "refused": []}
            sent += 1
        # The data's type may be said too.
        said = {**event, "datacontenttype": "application/json"}
        for message in python_messages(said):
            await deliver(door, message)
            sent += 1
    await door.wait_applied(sent)
    assert await door.total("cashless_accounts", THANH_HOA) == (6, 0)
    classes = await door.classes()
    assert (classes["counted"], classes["rejected"]) == (3, 0)
    rows = await door.fetch("SELECT id FROM aggregation.ledger ORDER BY id")
    assert [row["id"] for row in rows] == sorted(event["id"] for event in events)


@pytest.mark.node
@pytest.mark.timeout(INSTALL_SECONDS_MAX + 60)
async def test_javascript_sdk_is_understood(door: Stack, tmp_path: Path) -> None:
    """Binary, structured, and its events in a batch."""
    await check_node()
    folder = tmp_path / "javascript"
    shutil.copytree(JAVASCRIPT, folder)
    await run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)
    events = three_events()
    # This SDK encodes no header field.
    events[1]["id"] = "plain"
    events[2]["subject"] = "11"
    said = await run(
        "node",
        "send.js",
        folder=folder,
        given=json.dumps(events),
        UPTAKE_URL=f"http://127.0.0.1:{door.ports['ingest']}/v1/events",
        UPTAKE_KEY=KEYS["bank"],
    )
    one = {"received": 1, "accepted": 1, "refused": []}
    batch = {"received": 3, "accepted": 3, "refused": []}
    assert [json.loads(line) for line in said.splitlines()] == [*[one] * 6, batch]
    await door.wait_applied(9)
    assert await door.total("cashless_accounts", THANH_HOA) == (6, 0)
    assert (await door.classes())["duplicates"] == 6


async def check_node() -> None:
    """Say in one line what is missing; the SDK would say it in many."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    assert not missing, f"needs {' and '.join(missing)}: apt-get install nodejs npm"
    said = (await run("node", "--version", folder=JAVASCRIPT)).strip()
    major = int(said.removeprefix("v").partition(".")[0])
    assert major >= NODE_MIN, f"needs Node {NODE_MIN} or later; here it is {said}"


async def run(*command: str, folder: Path, given: str = "", **environment: str) -> str:
    """Run a command to its end; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(INSTALL_SECONDS_MAX):
        out, wrong = await process.communicate(given.encode())
    assert process.returncode == 0, wrong.decode()
    return out.decode()
