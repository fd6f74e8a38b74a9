"""`make bench`: one command, one report."""

import argparse
import asyncio
import os
import platform
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.postgres import EmbeddedPostgres
from tests.bench.drain import (
    copy_plain,
    drain,
    fill_log,
    read_bare,
)
from tests.bench.ingest import BATCH_EVENTS, measure_ingest
from tests.bench.latency import visible_seconds
from tests.bench.levels import measure_levels
from tests.bench.report import Report
from tests.bench.rows import SETTINGS, bench_postgres, use_fresh_database
from tests.bench.targets import measure_looks, measure_way
from tests.bench.workload import Workload
from tests.support.apache_kafka import ApacheKafka
from tests.support.catalogues import copy_catalogue
from tests.support.stack import Stack

OUT = Path(".uptake/bench")
KEPT = OUT / "kept"
PARTS = ("door", "drain")
# What is said of the targets' speed should hold on a small server too.
TARGET_SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "2GB"}
LATENCY_RATE = 2_000
LATENCY_SECONDS = 20


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="*", default=[])
    parser.add_argument("--broker", choices=("kafka", "embedded"), default="kafka")
    parser.add_argument("--levels", action="store_true", help="reads of levels, alone")
    parser.add_argument("--ingest", action="store_true", help="the door, alone")
    parser.add_argument("--targets", type=int, help="so many targets, alone")
    return parser.parse_args()


def machine(postgres: EmbeddedPostgres, broker: str) -> dict[str, str]:
    """Say what the figures were measured on."""
    return {
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "postgres": postgres.version,
        "postgres settings": ", ".join(
            f"{name}={value}" for name, value in SETTINGS.items()
        ),
        "broker": broker,
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


async def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Run everything and return what was found."""
    if options.levels:
        async with bench_postgres(folder / "postgres") as postgres:
            report = Report(machine(postgres, "none"))
            await measure_levels(postgres.dsn, folder, report)
            return report
    if options.targets:
        async with bench_postgres(folder / "postgres", TARGET_SETTINGS) as postgres:
            report = Report({})
            async with served(options, postgres, folder / PARTS[0], report) as stack:
                report.machine["postgres settings"] = str(TARGET_SETTINGS)
                await measure_targets(options, stack, postgres, report)
            return report
    async with bench_postgres(
        KEPT if options.rows else folder / "postgres"
    ) as postgres:
        report = Report({})
        async with served(options, postgres, folder / PARTS[0], report) as stack:
            await use_fresh_database(stack, postgres)
            batches = options.events // BATCH_EVENTS
            await measure_ingest(stack, report, batches=batches, runs=options.runs)
        if not options.ingest:
            async with served(options, postgres, folder / PARTS[1], report) as stack:
                await measure_drain(options, stack, postgres, report)
        return report


@asynccontextmanager
async def served(
    options: argparse.Namespace,
    postgres: EmbeddedPostgres,
    folder: Path,
    report: Report,
) -> AsyncIterator[Stack]:
    """Start a broker with an empty log; say in the report what all runs on."""
    kind = ApacheKafka if options.broker == "kafka" else EmbeddedBroker
    async with kind(folder / "broker") as broker:
        report.machine = report.machine or machine(postgres, broker.version)
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
        try:
            yield stack
        finally:
            await stack.stop()


async def measure_targets(
    options: argparse.Namespace,
    stack: Stack,
    postgres: EmbeddedPostgres,
    report: Report,
) -> None:
    """Measure looks at targets, and the way from an event to Alertmanager."""
    dsn = await use_fresh_database(stack, postgres)
    await measure_looks(dsn, report, targets=options.targets, runs=options.runs)
    await use_fresh_database(stack, postgres)
    await measure_way(stack, report, targets=options.targets)


async def measure_drain(
    options: argparse.Namespace,
    stack: Stack,
    postgres: EmbeddedPostgres,
    report: Report,
) -> None:
    """Measure the drain and what it is held against, in turns."""
    events = options.events
    await use_fresh_database(stack, postgres)
    appended = await fill_log(stack, Workload(events))
    report.add("append batches of 1,000, durable", "events/s", [appended])
    expected = await first_drain(stack, events)
    bare, plain, drained, memory = [], [], [], []
    for _ in range(options.runs):
        bare.append(await read_bare(stack, events))
        dsn = await use_fresh_database(stack, postgres)
        plain.append(await copy_plain(dsn, events))
        result = await drain(stack, events, expected)
        drained.append(result.events_per_second)
        memory.append(result.memory_mib)
    report.add("bare getmany", "events/s", bare)
    report.add("plain COPY, ledger's row and key", "rows/s", plain)
    empty = report.add("drain, whole semantics", "events/s", drained, ">= 60,000")
    ratio = [each / other for each, other in zip(drained, bare, strict=True)]
    report.add("drain / bare getmany", "ratio", ratio)
    ratio = [each / other for each, other in zip(drained, plain, strict=True)]
    report.add("drain / plain COPY", "ratio", ratio)
    report.add("aggregation's memory", "MiB", memory, "<= 200")
    for rows in options.rows:
        await use_fresh_database(stack, postgres, rows=rows)
        result = await drain(stack, events, expected)
        share = result.events_per_second / empty.median
        report.add(
            f"drain at {rows:,} ledger rows", "events/s", [result.events_per_second]
        )
        report.add(f"its share of the empty rate ({rows:,})", "ratio", [share], ">= .5")
    await use_fresh_database(stack, postgres)
    p50, p99 = await visible_seconds(stack, events, LATENCY_RATE, LATENCY_SECONDS)
    report.add(f"accepted to visible at {LATENCY_RATE:,}/s, p50", "ms", [p50 * 1000])
    report.add(
        f"accepted to visible at {LATENCY_RATE:,}/s, p99", "ms", [p99 * 1000], "<= 500"
    )


async def first_drain(stack: Stack, events: int) -> tuple[int, ...]:
    """Drain once to warm up and to learn the classes that every run must find."""
    stack.spawn("aggregation")
    await stack.wait_applied(events, seconds=600)
    classes = await stack.classes()
    await stack.stop()
    return tuple(classes.values())


def main() -> None:
    """Measure, write the report, show it."""
    options = arguments()
    began = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT.resolve()) as folder:
        Path(folder).chmod(0o755)
        for part in PARTS:
            Path(folder, part).mkdir(mode=0o755)
        report = asyncio.run(measure(options, Path(folder)))
    (OUT / "report.md").write_text(report.markdown(), encoding="utf-8")
    (OUT / "report.json").write_text(report.json() + "\n", encoding="utf-8")
    print(report.markdown())  # noqa: T201 -- the report
    print(f"{time.monotonic() - began:.0f} s; {OUT}/report.md, report.json")  # noqa: T201 -- the report


if __name__ == "__main__":
    main()
