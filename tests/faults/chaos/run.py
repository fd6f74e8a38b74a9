"""One run: load, faults and watching together; then calm, and the recount."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.cli.reconcile_log import read_log_ends
from tests.faults.chaos.faults import commit_fault
from tests.faults.chaos.house import House, open_house
from tests.faults.chaos.plan import Fault, Lane
from tests.faults.chaos.watch import INTERVAL_SECONDS, Watch
from tests.support.auditor import Auditor
from tests.support.load import Load
from tests.support.stack import eventually
from tests.support.uptake_command import run_uptake

AGENCIES: Final = ("bank", "coast", "delta", "census")
IN_THANH_HOA: Final = ("15961", "16000", "15469", "38")
EVERYWHERE: Final = (*IN_THANH_HOA, "04000", "04006", "04", "VN")
BATCHES_MAX: Final = 1_000_000
BATCH_EVENTS: Final = 40
PAUSE_SECONDS: Final = 0.25
ANSWER_SECONDS_MAX: Final = 60.0
"""After the calm, every agency has its 202 within this time."""
SETTLE_SECONDS_MAX: Final = 120.0
SEEN_SHARE_MIN: Final = 8
"""Of the observations that would fit, one in so many must have succeeded."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Run:
    """A run under way.

    Attributes:
        plan: Faults by their beginning.
        seconds: When no more faults begin.
        done: Faults that were done.
        settled_seconds: How long after the last answer until all was applied.
        longest_silence_seconds: In which no agency had a 202.
    """

    house: House
    plan: Sequence[Fault]
    seconds: float
    seed: int
    say: Say
    auditor: Auditor = field(default_factory=Auditor)
    loads: list[Load] = field(default_factory=list)
    watch: Watch = field(init=False)
    began: float = 0.0
    done: int = 0
    settled_seconds: float = 0.0
    longest_silence_seconds: float = 0.0

    def __post_init__(self) -> None:
        """Prepare what watches and what sends."""
        self.watch = Watch(self.house)
        self.loads = [
            Load(
                self.house.stack,
                self.auditor,
                agency,
                BATCHES_MAX,
                BATCH_EVENTS,
                self.seed * 100 + number,
                pause_seconds=PAUSE_SECONDS,
                localities=IN_THANH_HOA if agency == "bank" else EVERYWHERE,
            )
            for number, agency in enumerate(AGENCIES)
        ]

    @property
    def passed_seconds(self) -> float:
        """How long the run has lasted."""
        return time.monotonic() - self.began

    def figures(self) -> tuple[int, int, int]:
        """Return records acknowledged, requests retried and records applied."""
        return (
            self.auditor.copies_sent,
            sum(load.retries for load in self.loads),
            sum(self.watch.applied.values()),
        )

    async def disturb(self) -> None:
        """Send and disturb until the time is over, then wait for the last answers."""
        self.began = time.monotonic()
        async with asyncio.TaskGroup() as sending:
            agencies = [sending.create_task(load.run()) for load in self.loads]
            listening = sending.create_task(self._listen())
            async with asyncio.TaskGroup() as lanes:
                for lane in Lane:
                    lanes.create_task(self._follow(lane))
                lanes.create_task(asyncio.sleep(self.seconds))
            self.say(f"{self.passed_seconds:7.1f} s  calm: everything is taken back")
            await self.house.calm()
            for load in self.loads:
                load.is_over = True
            _, waiting = await asyncio.wait(agencies, timeout=ANSWER_SECONDS_MAX)
            assert not waiting, (
                f"{len(waiting)} agencies had no 202 in {ANSWER_SECONDS_MAX:g} s after "
                f"the calm; ingest: {self.house.stack.log_tail('ingest')}"
            )
            listening.cancel()

    async def _listen(self) -> None:
        """Measure the longest time in which nothing was acknowledged."""
        last, since = -1, time.monotonic()
        while True:
            if (acknowledged := self.auditor.copies_sent) != last:
                last, since = acknowledged, time.monotonic()
            silent = time.monotonic() - since
            self.longest_silence_seconds = max(self.longest_silence_seconds, silent)
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _follow(self, lane: Lane) -> None:
        """Do the faults of a lane, each at its time or once the one before is over."""
        for fault in self.plan:
            if fault.lane is not lane:
                continue
            if self.passed_seconds + fault.duration_seconds > self.seconds:
                self.say(f"{self.passed_seconds:7.1f} s  no time left: {fault.line()}")
                continue
            await asyncio.sleep(max(0.0, fault.at_seconds - self.passed_seconds))
            at, before = self.passed_seconds, self.figures()
            remark = await commit_fault(self.house, fault)
            self.done += 1
            deltas = [
                now - old for now, old in zip(self.figures(), before, strict=True)
            ]
            self.say(
                f"{at:7.1f} s  {fault.line():<36} acknowledged {deltas[0]:+6,}  "
                f"retries {deltas[1]:+4,}  applied {deltas[2]:+6,}"
                + (f"  ({remark})" if remark else "")
            )

    async def settle(self) -> None:
        """Wait until all that is in the log is applied, and alerting has heard."""
        began = time.monotonic()
        stack = self.house.stack

        async def is_applied() -> bool:
            rows = await stack.fetch(
                "SELECT partition, applied FROM reporting.progress"
            )
            applied = {row["partition"]: row["applied"] for row in rows}
            ends = await read_log_ends(stack.kafka_settings, applied)
            return ends == applied | {p: end for p, end in ends.items() if end == 0}

        async def is_heard() -> bool:
            different = await stack.fetch(ALERTING_DIFFERENCES)
            return not different

        for condition, what in (
            (is_applied, "no record is left to apply"),
            (is_heard, "alerting's copy of the totals is theirs"),
        ):
            await eventually(condition, seconds=SETTLE_SECONDS_MAX, what=what)
        self.settled_seconds = time.monotonic() - began

    async def recount(self) -> None:
        """Hold everything against the truth.

        Raises:
            AssertionError: Naming what is wrong.
        """
        stack = self.house.stack
        applied = await stack.applied()
        assert applied >= self.auditor.copies_sent, (
            f"{applied} records are in the log, "
            f"{self.auditor.copies_sent} were acknowledged"
        )
        await self.auditor.check(stack)
        ran = await run_uptake(stack, "reconcile")
        assert ran.status == 0, f"uptake reconcile: {ran.status}\n{ran.out}{ran.errors}"
        fitting = self.passed_seconds / INTERVAL_SECONDS
        seen = self.watch.observations
        assert seen * SEEN_SHARE_MIN >= fitting, f"only {seen} observations succeeded"

    async def summary(self) -> str:
        """Say in one line what was found right."""
        classes = await self.house.stack.classes()
        effects = len(self.auditor.effects)
        return (
            f"exact: {effects:,} acknowledged events, each counted once"
            f" ({sum(classes.values()):,} records = "
            + " + ".join(f"{count:,} {name}" for name, count in classes.items())
            + f"); promises 3 and 4 held in {self.watch.observations:,} observations;"
            f" {self.done} faults; all applied {self.settled_seconds:.1f} s after the"
            f" last answer; longest without a 202 {self.longest_silence_seconds:.1f} s;"
            f" seed {self.seed}"
        )


# The copy keeps zeros and statements of nothing; the ledger's totals have no zeros.
ALERTING_DIFFERENCES: Final = """
SELECT indicator, agency, locality, valid_from, day
FROM (
    SELECT indicator, agency, locality, valid_from, day, count, amount
    FROM alerting.daily_total
    WHERE count <> 0 OR amount <> 0
) AS copied
FULL JOIN reporting.daily_total AS kept
    USING (indicator, agency, locality, valid_from, day)
WHERE (copied.count, copied.amount) IS DISTINCT FROM (kept.count, kept.amount)
"""


async def run_chaos(
    folder: Path,
    plan: Sequence[Fault],
    *,
    seconds: float,
    seed: int,
    is_embedded: bool,
    disk_mebibytes: int | None,
    say: Say,
) -> str:
    """Run a plan against a house of its own.

    Returns:
        The summary of a run in which everything held.

    Raises:
        AssertionError: Or a group of such: what did not hold.
    """
    async with open_house(
        folder, is_embedded=is_embedded, disk_mebibytes=disk_mebibytes
    ) as house:
        run = Run(house, plan, seconds, seed, say)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(run.watch.run())
            await run.disturb()
            await run.settle()
            watching.cancel()
        await run.recount()
        return await run.summary()
