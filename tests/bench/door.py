"""`make bench-door`: a large file of NDJSON through the door, twice.

The first time every line counts, the second time none does. Reported are rate and the
greatest memory of the ingest process, which must not grow with the file.
"""

import argparse
import asyncio
import gzip
import hashlib
import json
import os
import platform
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp

from services.cli.embedded.broker import EmbeddedBroker
from shared.events.cloudevent_v1 import STREAM
from tests.bench.rebuild import Findings
from tests.bench.report import Report
from tests.bench.rows import bench_postgres
from tests.support.apache_kafka import ApacheKafka
from tests.support.catalogues import KEYS, copy_catalogue
from tests.support.events import HOANG_LOC, THANH_HOA, now
from tests.support.stack import Stack

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OUT: Final = Path(".uptake/bench")
DAYS: Final = 20
COUNT_MAX: Final = 9
APPLIED_SECONDS_MAX: Final = 3_600
MEMORY_MIB_MAX: Final = 200
PACKINGS: Final = ("gzip", "zstd")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--broker", choices=("kafka", "embedded"), default="kafka")
    parser.add_argument("--packed", choices=("", *PACKINGS), default="")
    return parser.parse_args()


def lines(size: int) -> Iterator[bytes]:
    """Write events until the file has its size; ids are drawn, as agencies' are."""
    chance = random.Random(1)  # noqa: S311 -- a seeded plan
    days = [(now() - timedelta(days=day)).strftime("%Y-%m-%d") for day in range(DAYS)]
    while size > 0:
        event = {
            "specversion": "1.0",
            "id": f"{chance.getrandbits(96):024x}",
            "source": "/test/bank",
            "type": "uptake.cashless.opened",
            "time": f"{chance.choice(days)}T00:00:{chance.randrange(60):02d}Z",
            "data": {"locality": HOANG_LOC, "count": chance.randint(1, COUNT_MAX)},
        }
        line = json.dumps(event).encode() + b"\n"
        size -= len(line)
        yield line


def write_file(path: Path, size: int) -> tuple[int, int]:
    """Write the file; return how many events it has and what they count."""
    events = total = 0
    with path.open("wb") as file:
        for line in lines(size):
            file.write(line)
            events += 1
            total += json.loads(line)["data"]["count"]
    return events, total


def peak_mib(pid: int) -> float:
    """Return the most memory that a process has ever had resident (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (kib,) = (row.split()[1] for row in status.splitlines() if row[:6] == "VmHWM:")
    return int(kib) / 1024


async def send(stack: Stack, path: Path, encoding: str) -> tuple[dict[str, Any], float]:
    """Send the file; return the receipt and how long it took, in seconds."""
    url = f"http://127.0.0.1:{stack.ports['ingest']}/v1/events"
    headers = {"content-type": STREAM, "authorization": f"Bearer {KEYS['bank']}"}
    if encoding:
        headers["content-encoding"] = encoding
    patience = aiohttp.ClientTimeout(total=None)
    began = time.monotonic()
    with path.open("rb") as file:
        async with (
            aiohttp.ClientSession(timeout=patience) as session,
            session.post(url, data=file, headers=headers) as answer,
        ):
            receipt = await answer.json(content_type=None)
    return {**receipt, "status": answer.status}, time.monotonic() - began


async def digest_of_totals(stack: Stack) -> str:
    """Sum up every daily total, byte for byte."""
    rows = await stack.fetch(
        "SELECT concat_ws(' ', agency, locality, day, count, amount) AS line "
        "FROM reporting.daily_total ORDER BY line"
    )
    return hashlib.sha256("\n".join(row["line"] for row in rows).encode()).hexdigest()


async def measure(
    stack: Stack, options: argparse.Namespace, report: Report
) -> Findings:
    """Send the file twice and recount."""
    findings = Findings()
    plain = stack.folder / "events.ndjson"
    events, total = write_file(plain, options.bytes)
    path = plain
    if options.packed:
        path = stack.folder / f"events.{options.packed}"
        with (
            plain.open("rb") as file,
            gzip.open(path, "wb")
            if options.packed == "gzip"
            else zstd.open(path, "wb") as packed,
        ):
            shutil.copyfileobj(file, packed)
    await stack.start("ingest", "aggregation")
    child = stack.children["ingest"]
    size = plain.stat().st_size
    report.add("file, unpacked", "bytes", [size])
    report.add("file, as it was sent", "bytes", [path.stat().st_size])
    report.add("events in it", "events", [events])
    report.add("peak resident memory before", "MiB", [peak_mib(child.pid)])
    digests = []
    for times in (1, 2):
        receipt, took = await send(stack, path, options.packed)
        name = ("first", "second")[times - 1]
        report.add(f"rate, {name} time", "events/s", [events / took], ">= 50,000")
        report.add(f"rate, {name} time", "MB/s", [size / took / 1e6])
        report.add(
            f"peak resident memory after the {name} time",
            "MiB",
            [peak_mib(child.pid)],
            f"<= {MEMORY_MIB_MAX}",
        )
        findings.compare("status", receipt["status"], 202)
        findings.compare("accepted", receipt.get("accepted"), events)
        findings.compare("lines", receipt.get("durable_through_line"), events)
        await stack.wait_applied(events * times, seconds=APPLIED_SECONDS_MAX)
        counted = await stack.total("cashless_accounts", THANH_HOA)
        findings.compare(f"total after the {name} time", counted, (total, 0))
        digests.append(await digest_of_totals(stack))
    findings.compare("SHA-256 of all totals", digests[1], digests[0])
    classes = await stack.classes()
    findings.compare("counted", classes["counted"], events)
    findings.compare("duplicates", classes["duplicates"], events)
    findings.compare(
        f"memory within {MEMORY_MIB_MAX} MiB",
        peak_mib(child.pid) <= MEMORY_MIB_MAX,
        expected=True,
    )
    return findings


async def run(options: argparse.Namespace, folder: Path) -> tuple[Report, Findings]:
    """Start servers, measure, and end everything."""
    kind = ApacheKafka if options.broker == "kafka" else EmbeddedBroker
    async with (
        bench_postgres(folder / "postgres") as postgres,
        kind(folder / "broker") as broker,
    ):
        stack = Stack(
            broker=broker,
            bootstrap_servers=broker.bootstrap_servers,
            dsn=postgres.dsn,
            catalogue=copy_catalogue(folder / "catalogue"),
            folder=folder,
            is_embedded=options.broker == "embedded",
            # The rate is that of the door, not the one that agencies are held to.
            overrides={
                "UPTAKE_AGENCY_EVENTS_PER_SECOND": "1000000",
                "UPTAKE_AGENCY_BURST_EVENTS": "100000000",
            },
        )
        report = Report(
            {
                "cores": str(os.cpu_count()),
                "python": platform.python_version(),
                "broker": broker.version,
                "packed": options.packed or "not",
                "load before": f"{os.getloadavg()[0]:.2f}",
            },
            title="A large stream through the door",
        )
        await stack.migrate()
        try:
            return report, await measure(stack, options, report)
        finally:
            await stack.stop()


def main() -> int:
    """Measure, write the report, show it; 1 if anything is unequal."""
    options = arguments()
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT.resolve()) as folder:
        Path(folder).chmod(0o755)
        report, findings = asyncio.run(run(options, Path(folder)))
    (OUT / "door.md").write_text(report.markdown(), encoding="utf-8")
    (OUT / "door.json").write_text(report.json() + "\n", encoding="utf-8")
    print(report.markdown())  # noqa: T201 -- the report
    for each in findings.unequal:
        print(f"UNEQUAL {each[:500]}")  # noqa: T201 -- the report
    verdict = "unequal" if findings.unequal else "everything is equal"
    print(f"{verdict}; {OUT}/door.md, door.json")  # noqa: T201 -- the report
    return 1 if findings.unequal else 0


if __name__ == "__main__":
    sys.exit(main())
