"""`make bench-rebuild`: a rebuild of a long log while new events keep arriving.

Fills the log, drains it, sends at a steady rate, rebuilds, and recounts everything from
what was sent. Ends with 1 if anything is unequal.
"""

import argparse
import asyncio
import hashlib
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from services.cli.embedded.broker import EmbeddedBroker
from shared.events.topics import EVENTS
from shared.kafka.whole_topic import read_ends
from tests.bench.drain import fill_log
from tests.bench.report import Report
from tests.bench.rows import SETTINGS, bench_postgres
from tests.bench.steady import SteadyLoad
from tests.bench.truth import CLASSES, AuditedWorkload, Truth
from tests.bench.workload import Workload
from tests.support.apache_kafka import ApacheKafka
from tests.support.catalogues import copy_catalogue
from tests.support.rebuilding import RebuildProcess, table_number
from tests.support.stack import Stack, eventually

OUT = Path(".uptake/bench")
SAY_SECONDS = 10.0
LOOK_SECONDS = 0.5
QUIET_SECONDS = 5.0
"""How long the load runs before the rebuild and after it; the end of a rebuild that is
called its switch."""
SLOWEST_RECORDS_PER_SECOND = 1_000
GRACE_SECONDS = 180


@dataclass(slots=True)
class Findings:
    """What was unequal, in words; empty when all is well."""

    unequal: list[str] = field(default_factory=list)

    def compare(self, what: str, found: object, expected: object) -> bool:
        """Hold one figure against another."""
        if found != expected:
            self.unequal.append(f"{what}: {found}, expected {expected}")
        return found == expected


def say(text: str) -> None:
    """Show how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)  # noqa: T201 -- long work shows progress


async def until_applied(stack: Stack, records: int) -> None:
    """Wait until so many records are applied; say how far it is."""
    deadline = time.monotonic() + records / SLOWEST_RECORDS_PER_SECOND + GRACE_SECONDS
    said_at = time.monotonic()
    connection = await asyncpg.connect(stack.dsn)
    try:
        applied = 0
        while applied < records:
            assert time.monotonic() < deadline, f"{applied:,} of {records:,} applied"
            for service, child in stack.children.items():
                assert child.is_running(), stack.log_tail(service)
            await asyncio.sleep(LOOK_SECONDS)
            applied = await connection.fetchval(
                "SELECT coalesce(sum(applied), 0)::bigint FROM reporting.progress"
            )
            if time.monotonic() - said_at >= SAY_SECONDS:
                said_at = time.monotonic()
                say(f"{applied:,} of {records:,} records applied")
    finally:
        await connection.close()


async def until_rebuilt(process: RebuildProcess, records: int) -> None:
    """Wait for the rebuild's end; show what it says."""
    deadline = time.monotonic() + records / SLOWEST_RECORDS_PER_SECOND + GRACE_SECONDS
    shown = 0
    while process.child.is_running():
        assert time.monotonic() < deadline, process.text
        lines = process.lines("rebuild_progress")
        for line in lines[shown:]:
            say(f"{line['records']:,} of {line['of_records']:,} records rebuilt")
        shown = len(lines)
        await asyncio.sleep(LOOK_SECONDS)
    assert process.child.exit_status() == 0, process.text


@asynccontextmanager
async def running(load: SteadyLoad) -> AsyncIterator[None]:
    """Keep the load up while the body runs; then have everything applied and seen."""
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(load.watch())
        sending = group.create_task(load.send())
        yield
        load.is_over = True
        await sending
        await until_applied(load.stack, load.applied_before + load.records)
        await eventually(load.is_seen, what="a reader sees all of it")
        watching.cancel()


async def measure(
    stack: Stack, options: argparse.Namespace, report: Report
) -> Findings:
    """Fill, drain, load, rebuild, recount."""
    findings, truth = Findings(), Truth()
    say(f"filling the log with {options.events:,} events")
    appended = await fill_log(stack, AuditedWorkload(Workload(options.events), truth))
    report.add("append batches of 1,000, durable", "events/s", [appended])
    began = time.monotonic()
    await stack.start("ingest", "aggregation")
    await until_applied(stack, options.events)
    rate = options.events / (time.monotonic() - began)
    report.add("drain, start of the service included", "events/s", [rate])
    serving = await table_number(stack)
    load = SteadyLoad(stack, truth, options.rate, options.events)
    async with running(load):
        say(f"{options.rate} events a second arrive")
        await asyncio.sleep(QUIET_SECONDS)
        rebuilt_from = time.monotonic()
        process = RebuildProcess(stack)
        await until_rebuilt(process, options.events)
        rebuilt_until = time.monotonic()
        await asyncio.sleep(QUIET_SECONDS)
    (switched,) = process.lines("rebuild_switched")
    took = rebuilt_until - rebuilt_from
    report.add("rebuild, from start to switched", "s", [took])
    report.add("rebuild", "records/s", [switched["records"] / took])
    report.add("records rebuilt", "records", [switched["records"]])
    report.add(
        "records that arrived meanwhile, and around it", "records", [load.records]
    )
    for name, since, until in (
        ("before the rebuild", 0.0, rebuilt_from),
        ("during the rebuild and its switch", rebuilt_from, rebuilt_until),
        (
            f"in its last {QUIET_SECONDS:.0f} s, with the switch",
            max(rebuilt_from, rebuilt_until - QUIET_SECONDS),
            rebuilt_until,
        ),
    ):
        waits = load.visible_seconds(since, until)
        assert waits, f"nothing was sent {name}"
        report.add(f"POST to visible {name}, median", "s", [statistics.median(waits)])
        report.add(f"POST to visible {name}, longest", "s", [max(waits)])
    findings.compare("rows that the rebuild found to differ", switched["differing"], 0)
    findings.compare(
        "the rebuilt tables serve", await table_number(stack) != serving, expected=True
    )
    await recount(stack, truth, options.events + load.records, findings, report)
    return findings


async def recount(
    stack: Stack, truth: Truth, records: int, findings: Findings, report: Report
) -> None:
    """Hold totals, classes and log against what was sent."""
    say("recounting")
    rows = await stack.fetch(
        "SELECT concat_ws(' ', agency, locality, day, count, amount) AS line "
        "FROM reporting.daily_total"
    )
    kept, expected = sorted(row["line"] for row in rows), truth.lines()
    report.add("totals compared, byte for byte", "totals", [len(expected)])
    differing = len(set(kept) ^ set(expected)) + abs(len(kept) - len(set(kept)))
    report.add("lines of totals that differ", "lines", [differing], "0")
    findings.compare("SHA-256 of all totals", _digest(kept), _digest(expected))
    classes = await stack.classes()
    for name in CLASSES:
        findings.compare(name, classes[name], truth.classes[name])
    applied = await stack.applied()
    findings.compare("applied = sum of the classes", applied, sum(classes.values()))
    findings.compare("applied = records sent", applied, records)
    stands = await stack.fetch("SELECT partition, next_offset FROM reporting.progress")
    places = {row["partition"]: row["next_offset"] for row in stands}
    ends = await read_ends(stack.kafka_settings, EVENTS, places)
    findings.compare("log end, by partition", ends, places)
    report.add("equations that do not hold", "equations", [len(findings.unequal)], "0")


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--rate", type=int, default=500, help="new events a second")
    parser.add_argument("--broker", choices=("kafka", "embedded"), default="kafka")
    return parser.parse_args()


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
            # The workload's days stand still; it must never be too late for the ledger.
            overrides={"UPTAKE_LEDGER_DAYS": "36500"},
        )
        report = Report(
            {
                "cores": str(os.cpu_count()),
                "python": platform.python_version(),
                "postgres": postgres.version,
                "postgres settings": ", ".join(
                    f"{name}={value}" for name, value in SETTINGS.items()
                ),
                "broker": broker.version,
                "load before": f"{os.getloadavg()[0]:.2f}",
                "events": f"{options.events:,}, and {options.rate} a second",
            }
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
    (OUT / "rebuild.md").write_text(report.markdown(), encoding="utf-8")
    (OUT / "rebuild.json").write_text(report.json() + "\n", encoding="utf-8")
    print(report.markdown())  # noqa: T201 -- the report
    for each in findings.unequal:
        print(f"UNEQUAL {each[:500]}")  # noqa: T201 -- the report
    verdict = "unequal" if findings.unequal else "everything is equal"
    say(f"{verdict}; {OUT}/rebuild.md, rebuild.json")
    return 1 if findings.unequal else 0


if __name__ == "__main__":
    sys.exit(main())
