"""The door at saturation, in batches and one by one, beside a bare echo endpoint.

Both serve the same requests in turns, on the same server with the same bounds; only
the door reads them, decides on them and has Kafka confirm them. Afterwards aggregation
counts the log, and everything is recounted from what was sent.
"""

import asyncio
import json
import os
import pickle
import random
import statistics
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from services.cli.embedded.child import ChildProcess
from services.ingest.web import ROUTE
from shared.events.cloudevent_v1 import BATCH, STRUCTURED
from tests.bench.drain import MIB, memory_most_bytes
from tests.bench.posting import Posted
from tests.bench.rebuild import Findings, recount
from tests.bench.report import Report
from tests.bench.steady import LOCAL_TIME
from tests.bench.truth import Truth
from tests.support.catalogues import EVERYWHERE, KEYS, SOURCES, write_agency
from tests.support.events import now, opened
from tests.support.load import COMMUNES
from tests.support.stack import Stack

BATCH_EVENTS: Final = 1_000
BATCH_CONNECTIONS: Final = 6
SINGLES: Final = 20_000
SINGLE_CONNECTIONS: Final = 64
WARM_BATCHES: Final = 20
WARM_SINGLES: Final = 1_000
APPLIED_SECONDS_MAX: Final = 600
# A stack's agencies may send as much as the machine takes.
UNLIMITED: Final = {
    "UPTAKE_AGENCY_EVENTS_PER_SECOND": "1000000",
    "UPTAKE_AGENCY_BURST_EVENTS": "1000000",
}


@dataclass(slots=True)
class Events:
    """Makes requests, and knows what they come to.

    Attributes:
        truth: What everything made so far comes to.
        made: How many events that is.
    """

    truth: Truth = field(default_factory=Truth)
    made: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 -- a seeded plan

    def batches(self, count: int) -> list[bytes]:
        """Make requests of a thousand events, of one agency each, in turns."""
        return [
            _request(agency, BATCH, [self._event(agency) for _ in range(BATCH_EVENTS)])
            for agency in _turns(count)
        ]

    def singles(self, count: int) -> list[bytes]:
        """Make requests of one event, of one agency each, in turns."""
        return [
            _request(agency, STRUCTURED, self._event(agency))
            for agency in _turns(count)
        ]

    def _event(self, agency: str) -> dict[str, Any]:
        """Make an event of the last days, as an agency's system would."""
        age = timedelta(seconds=self.chance.expovariate(1 / 40_000))
        at = now() - min(age, timedelta(days=30))
        count, locality = self.chance.randint(1, 5), self.chance.choice(COMMUNES)
        event = opened(count, locality=locality, at=at)
        event["source"] = SOURCES[agency]
        event["id"] = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
        day = datetime.fromisoformat(event["time"]).astimezone(LOCAL_TIME).date()
        self.truth.add((agency, locality, str(day)), count)
        self.made += 1
        return event


def _turns(count: int) -> Iterator[str]:
    return (EVERYWHERE[number % len(EVERYWHERE)] for number in range(count))


def _request(agency: str, content_type: str, content: object) -> bytes:
    body = json.dumps(content).encode()
    head = (
        f"POST {ROUTE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {content_type}\r\n"
        f"authorization: Bearer {KEYS[agency]}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def post(port: int, requests: list[bytes], connections: int) -> Posted:
    """Have another process send requests; each must be answered with 202."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.posting", str(port), str(connections)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate(pickle.dumps(requests))
    assert process.returncode == 0, "not every request was answered with 202"
    return Posted(**json.loads(told))


def processor_seconds(pid: int) -> float:
    """Return how long a process has been at work (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Rates:
    """What was measured of one server with requests of one kind, run by run."""

    per_second: list[float] = field(default_factory=list)
    processor_us: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    async def measure(
        self, stack: Stack, service: str, requests: list[bytes], size: int
    ) -> None:
        """Send requests to a server.

        Args:
            stack: Where it runs.
            service: Its name.
            requests: What is sent.
            size: How many events are in each.
        """
        child = stack.children[service]
        connections = SINGLE_CONNECTIONS if size == 1 else BATCH_CONNECTIONS
        before = processor_seconds(child.pid)
        posted = await post(stack.ports[service], requests, connections)
        assert child.is_running(), stack.log_tail(service)
        events = len(requests) * size
        spent = processor_seconds(child.pid) - before
        self.per_second.append(events / posted.seconds)
        self.processor_us.append(spent / events * 1e6)
        self.p99_ms.append(statistics.quantiles(posted.waits, n=100)[98] * 1e3)


def start_echo(stack: Stack) -> ChildProcess:
    """Start the bare endpoint as if it were a service."""
    program, stack.program = stack.program, ("-m", "tests.bench.echo")
    try:
        return stack.spawn("echo")
    finally:
        stack.program = program


async def measure_ingest(
    stack: Stack, report: Report, *, batches: int, runs: int
) -> None:
    """Measure the door and the bare endpoint in turns, then recount.

    Args:
        stack: Migrated; nothing runs, and nothing is in its log.
        report: Where the figures go.
        batches: How many of a thousand events are sent in each run.
        runs: How many runs.

    Raises:
        AssertionError: Something is not counted, or counted wrongly.
    """
    for agency in EVERYWHERE:
        write_agency(stack.catalogue, agency, "VN")
    overrides, stack.overrides = stack.overrides, {**stack.overrides, **UNLIMITED}
    start_echo(stack)
    await stack.start("ingest")
    await stack.wait_ready("echo")
    events = Events()
    await _warm_up(stack, events)
    found = {
        (service, size): Rates()
        for service in ("ingest", "echo")
        for size in (BATCH_EVENTS, 1)
    }
    for _ in range(runs):
        for size, requests in (
            (BATCH_EVENTS, events.batches(batches)),
            (1, events.singles(SINGLES)),
        ):
            for service in ("echo", "ingest"):
                await found[service, size].measure(stack, service, requests, size)
    memory = memory_most_bytes(stack.children["ingest"].pid) / MIB
    await stack.stop()
    stack.overrides = overrides
    _report(report, found, memory)
    await _recount(stack, events, report)


async def _warm_up(stack: Stack, events: Events) -> None:
    """Have every page touched and every file opened that later requests need."""
    for service in ("echo", "ingest"):
        port = stack.ports[service]
        made = events if service == "ingest" else Events()
        await post(port, made.batches(WARM_BATCHES), BATCH_CONNECTIONS)
        await post(port, made.singles(WARM_SINGLES), SINGLE_CONNECTIONS)


def _report(
    report: Report, found: dict[tuple[str, int], Rates], memory_mib: float
) -> None:
    for size, name, rate, share in (
        (BATCH_EVENTS, "batches of 1,000", ">= 50,000", ""),
        (1, "single events", "", ">= 0.6"),
    ):
        door, echo = found["ingest", size], found["echo", size]
        report.add(f"door, {name}, durable", "events/s", door.per_second, rate)
        report.add(f"bare echo, {name}", "events/s", echo.per_second)
        ratio = [
            each / other
            for each, other in zip(door.per_second, echo.per_second, strict=True)
        ]
        report.add(f"door / bare echo, {name}", "ratio", ratio, share)
        report.add(f"door's processor time, {name}", "us/event", door.processor_us)
        report.add(f"echo's processor time, {name}", "us/event", echo.processor_us)
        report.add(f"door's answer, {name}, p99", "ms", door.p99_ms)
    report.add("ingest's memory", "MiB", [memory_mib], "<= 200")


async def _recount(stack: Stack, events: Events, report: Report) -> None:
    await stack.start("aggregation")
    await stack.wait_applied(events.made, seconds=APPLIED_SECONDS_MAX)
    findings = Findings()
    await recount(stack, events.truth, events.made, findings, report)
    await stack.stop()
    assert not findings.unequal, findings.unequal
