"""Ingest as a process: floods are seen, nobody is forged, streams end with it."""

import asyncio
import json
import signal
from typing import Any

import pytest

from shared.metrics import new_registry
from tests.support.catalogues import KEYS
from tests.support.events import THANH_HOA, opened
from tests.support.raw_http import Served, Wire, request
from tests.support.stack import Stack, eventually

pytestmark = pytest.mark.embedded
PROXY, CALLER = "127.0.0.2", "203.0.113.9"
FORGED = f"x-forwarded-for: {CALLER}"
EXIT_SECONDS_MAX = 20.0
BURST = 50


def audit_of(stack: Stack) -> list[dict[str, Any]]:
    """Return the refused attempts that ingest wrote down."""
    log = (stack.folder / "ingest" / "log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    return [line for line in lines if line["event"] == "attempt_refused"]


async def knock_from(port: int, address: str) -> None:
    """Send a key that is none, with a forged header, from one of our addresses."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, local_addr=(address, 0)
    )
    wire = Wire(reader, writer)
    try:
        fields = (FORGED, "authorization: Bearer guess")
        await wire.say(request("POST", "/v1/events", b"{}", *fields))
        assert (await wire.hear()).status == 401
    finally:
        writer.transport.abort()


async def test_flood_is_seen_and_its_sender_is_not_forged(stack: Stack) -> None:
    """Heads that are none stand in the metrics; only a named proxy is believed."""
    stack.overrides["UPTAKE_HTTP_TRUSTED_PROXIES"] = PROXY
    await stack.start("ingest")
    served = Served(stack.ports["ingest"], new_registry())
    for _ in range(30):
        flood = request("POST", "/v1/events", b"", "x: " + "a" * 40_000)
        assert (await served.ask(flood)).status == 431
    for _ in range(7):
        assert (await served.ask(b"\x16\x03\x01\x02\x00\x01\x00")).status == 400
    _, metrics = await stack.get("ingest", "/metrics")
    for reason, count in (("head_too_large", 30), ("not_http", 7), ("too_busy", 0)):
        line = f'uptake_http_turned_away_total{{reason="{reason}"}} {count}.0'
        assert line in metrics
    await knock_from(served.port, "127.0.0.1")
    await knock_from(served.port, PROXY)
    assert [line["client"] for line in audit_of(stack)] == ["127.0.0.1", CALLER]
    assert (await stack.post(opened(1))).status == 202


async def test_streams_end_with_the_service_and_tell_what_is_durable(
    stack: Stack,
) -> None:
    """One waits for its agency's rate, one for its sender: both are answered."""
    stack.overrides |= {
        "UPTAKE_AGENCY_EVENTS_PER_SECOND": "0.001",
        "UPTAKE_AGENCY_BURST_EVENTS": str(BURST),
    }
    await stack.start("ingest")
    served = Served(stack.ports["ingest"], new_registry())
    async with served.wire() as fast, served.wire() as silent:
        await begin(fast, "bank", lines=30)
        await begin(silent, "census", lines=0)

        async def are_durable() -> bool:
            _, metrics = await stack.get("ingest", "/metrics")
            accepted = 'uptake_events_accepted_total{agency="bank"} 30.0' in metrics
            return accepted and "uptake_ingest_streams_open 2.0" in metrics

        await eventually(are_durable, what="30 lines are durable")
        await fast.say(chunk(30))
        # Answered behind it, so the lines have been read.
        assert (await stack.get("ingest", "/health/live"))[0] == 200
        stack.children["ingest"].send(signal.SIGTERM)
        for wire, through in ((fast, 30), (silent, 0)):
            answer = await wire.hear()
            assert (answer.status, answer.slug) == (503, "stopping")
            assert answer.headers["retry-after"] == "2"
            assert answer.problem["durable_through_line"] == through
            assert answer.problem["accepted"] == through
    assert await stack.children["ingest"].wait(EXIT_SECONDS_MAX) == 0
    await stack.start("aggregation")
    await stack.wait_applied(30)
    assert await stack.total("cashless_accounts", THANH_HOA) == (30, 0)


async def begin(wire: Wire, agency: str, *, lines: int) -> None:
    """Begin a stream with so many events."""
    fields = (
        "POST /v1/events HTTP/1.1",
        "host: x",
        "content-type: application/x-ndjson",
        f"authorization: Bearer {KEYS[agency]}",
        "transfer-encoding: chunked",
    )
    head = "\r\n".join((*fields, "", "")).encode()
    await wire.say(head + (chunk(lines) if lines else b""))


def chunk(lines: int) -> bytes:
    """Frame so many events of one account each."""
    body = "".join(json.dumps(opened(1)) + "\n" for _ in range(lines)).encode()
    return b"%x\r\n%s\r\n" % (len(body), body)
