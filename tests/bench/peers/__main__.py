"""`make bench-peers`: other frameworks and our own service at the same job."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.cli.embedded.postgres import EmbeddedPostgres
from tests.bench.__main__ import OUT, machine
from tests.bench.drain import fill_log
from tests.bench.peers.contestant import Contestant, OurService, Peer, peers
from tests.bench.peers.environment import EnvironmentMissingError
from tests.bench.peers.match import Match, Outcome, Rules
from tests.bench.peers.truth import true_totals
from tests.bench.report import Report, Table
from tests.bench.rows import bench_postgres, use_fresh_database
from tests.bench.workload import Workload
from tests.support.apache_kafka import ApacheKafka
from tests.support.catalogues import copy_catalogue
from tests.support.stack import Stack

ASKED = ">= 4"
HEADER = (
    "who",
    "version",
    "kills",
    "result",
    "counted of",
    "events/s, first commit to last",
    "events/s from start",
    "seconds",
    "remark",
)


@dataclass(slots=True)
class Findings:
    """What everybody came to, in the order in which it happened."""

    outcomes: list[tuple[Contestant, Outcome]] = field(default_factory=list)
    absent: list[tuple[Contestant, str]] = field(default_factory=list)

    def rates(self, name: str) -> list[float]:
        """Return somebody's rates of the runs without kills."""
        found = [each for who, each in self.outcomes if who.name == name]
        return [each.rate for each in found if each.asked == 0]

    def starts(self, name: str) -> list[float]:
        """Return the same, from the start."""
        found = [each for who, each in self.outcomes if who.name == name]
        return [each.rate_from_start for each in found if each.asked == 0]

    def seconds_alone(self, name: str) -> float:
        """Return how long somebody took without kills; 0 where that is not known."""
        found = [each for who, each in self.outcomes if who.name == name]
        return max((each.seconds for each in found if each.asked == 0), default=0.0)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=1, help="of those without kills")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seconds-max", type=float, default=420.0, help="of a run")
    parser.add_argument("--only", nargs="*", default=[], help="peers, by folder")
    return parser.parse_args()


def say(text: str) -> None:
    """Show progress."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 -- long work shows progress


async def measure(options: argparse.Namespace, folder: Path) -> Report:
    """Run everything and return what was found."""
    findings = Findings()
    ours = OurService()
    present: list[Contestant] = [ours]
    for peer in peers():
        if options.only and peer.folder not in options.only:
            continue
        if await is_installed(peer, findings):
            present.append(peer)
    async with (
        bench_postgres(folder / "postgres") as postgres,
        ApacheKafka(folder / "broker") as broker,
    ):
        stack = Stack(
            broker=broker,
            bootstrap_servers=broker.bootstrap_servers,
            dsn=postgres.dsn,
            catalogue=copy_catalogue(folder / "catalogue"),
            folder=folder,
            is_embedded=False,
            # The workload's days stand still; it must never be too late for the ledger.
            overrides={"UPTAKE_LEDGER_DAYS": "36500"},
        )
        described = machine(postgres, broker.version)
        described["events"] = f"{options.events:,}"
        workload = Workload(options.events)
        await use_fresh_database(stack, postgres)
        await fill_log(stack, workload)
        true = true_totals(workload)
        for kills in [*[0] * options.runs, options.kills]:
            for contestant in present:
                alone = findings.seconds_alone(contestant.name)
                rules = Rules(options.events, true, kills, options.seconds_max, alone)
                await meet(contestant, rules, stack, postgres, findings)
                # An hour's work is not lost with its last minute.
                described["load at the end"] = f"{os.getloadavg()[0]:.2f}"
                save(make_report(described, findings, ours))
    return make_report(described, findings, ours)


async def is_installed(peer: Peer, findings: Findings) -> bool:
    """Make a peer's environment; say whether there is one."""
    say(f"{peer.name} {peer.version}: its environment")
    try:
        await peer.install(OUT.resolve() / "peers")
    except EnvironmentMissingError as error:
        say(f"  {error}")
        findings.absent.append((peer, f"cannot be installed here: {error}"))
        return False
    return True


async def meet(
    contestant: Contestant,
    rules: Rules,
    stack: Stack,
    postgres: EmbeddedPostgres,
    findings: Findings,
) -> None:
    """Let somebody do the job once, on an empty database."""
    say(f"{contestant.name}: {rules.records:,} events, {rules.kills} kills")
    await use_fresh_database(stack, postgres)
    try:
        await contestant.prepare(stack)
    except EnvironmentMissingError as error:
        findings.absent.append((contestant, f"cannot be prepared: {error}"))
        return
    outcome = await Match(contestant, rules).play()
    say(
        f"  {outcome.verdict}; {outcome.rate:,.0f} events/s, {outcome.seconds:.0f} s, "
        f"{outcome.kills} kills {outcome.remark}"
    )
    findings.outcomes.append((contestant, outcome))


def make_report(
    described: dict[str, str], findings: Findings, ours: Contestant
) -> Report:
    """Return the report of what has been found until now."""
    report = Report(described, title="Beside the peers")
    names = list(dict.fromkeys(who.name for who, _ in findings.outcomes))
    for name in names:
        if rates := findings.rates(name):
            report.add(f"{name}, first commit to last", "events/s", rates)
            report.add(f"{name}, from its start", "events/s", findings.starts(name))
    others = [name for name in names if name != ours.name and findings.rates(name)]
    for what, of, asked in (
        ("first commit to last", findings.rates, ASKED),
        ("from the start", findings.starts, ""),
    ):
        if ratio := ratios(of(ours.name), [of(name) for name in others]):
            report.add(f"Uptake / best peer, {what}", "ratio", ratio, asked)
    rows = [row(who, outcome) for who, outcome in findings.outcomes]
    rows += [
        (who.name, who.version, "", "did not run", "", "", "", "", said)
        for who, said in findings.absent
    ]
    report.tables.append(Table(HEADER, tuple(rows)))
    return report


def ratios(own: Sequence[float], others: Sequence[Sequence[float]]) -> list[float]:
    """Return for each run ours by the best of the others."""
    best = [max(run) for run in zip(*others, strict=False)]
    return [each / other for each, other in zip(own, best, strict=False) if other]


def save(report: Report) -> None:
    """Write the report as people and as programs read it."""
    (OUT / "peers.md").write_text(report.markdown(), encoding="utf-8")
    (OUT / "peers.json").write_text(report.json() + "\n", encoding="utf-8")


def row(who: Contestant, outcome: Outcome) -> tuple[str, ...]:
    """Return a line of the table of results."""
    return (
        who.name,
        who.version,
        str(outcome.kills),
        str(outcome.verdict),
        f"{outcome.verdict.counted:,} of {outcome.verdict.true:,}",
        f"{outcome.rate:,.0f}",
        f"{outcome.rate_from_start:,.0f}",
        f"{outcome.seconds:.1f}",
        outcome.remark,
    )


def main() -> None:
    """Measure, and show the report."""
    options = arguments()
    began = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT.resolve()) as folder:
        Path(folder).chmod(0o755)
        report = asyncio.run(measure(options, Path(folder)))
    print(report.markdown())  # noqa: T201 -- the report
    print(f"{time.monotonic() - began:.0f} s; {OUT}/peers.md, peers.json")  # noqa: T201 -- the report


if __name__ == "__main__":
    main()
