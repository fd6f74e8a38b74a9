"""The demo's load: sends, watches the counting, waits for the alert."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from random import Random
from typing import Final

import aiohttp

from services.cli.demo_plan import PROVINCE, TARGET_ID, TARGET_INDICATOR
from services.cli.demo_progress import LoadDisplay
from services.cli.demo_reading import DemoReader, Progress
from services.cli.demo_report import Outcome, has_fired
from services.cli.simulate.plan import (
    AgencyPlan,
    Tally,
    Unrest,
    expect_tally,
    plan_events,
)
from services.cli.simulate.sender import Outbound, Sender
from services.cli.simulate.truth import sum_by_indicator
from shared.errors import TransientError

POLL_SECONDS: Final = 0.2
# Nothing moved for so long: what is missing will not come.
STALLED_SECONDS_MAX: Final = 30.0
ALERT_SECONDS_MAX: Final = 60.0


@dataclass(frozen=True, slots=True)
class Load:
    """What the demo sends.

    Attributes:
        plans: One for each agency.
        unrest: Repeats, reversals and disorder.
        zone: The catalogue's time zone.
        seed: Decides sizes, places, times and order; never a sum.
    """

    plans: Sequence[AgencyPlan]
    unrest: Unrest
    zone: tzinfo
    seed: int

    @property
    def expected(self) -> Tally:
        """How many events of each class there will be, repeats by us not included."""
        return expect_tally(self.plans, self.unrest)

    def outbounds(self) -> list[Outbound]:
        """Begin the plans anew; a fixed seed gives the same events again."""
        return [
            Outbound(
                agency=plan.agency,
                key=plan.key,
                events=plan_events(
                    plan,
                    self.unrest,
                    self.zone,
                    # Nothing secret depends on it.
                    Random(f"{self.seed}/{plan.agency}"),  # noqa: S311
                ),
            )
            for plan in self.plans
            if plan.flows
        ]


async def run_load(
    load: Load,
    session: aiohttp.ClientSession,
    reader: DemoReader,
    ingest_url: str,
    display: LoadDisplay,
) -> Progress:
    """Send everything and wait until it is counted.

    Returns:
        The last reading; it is short of the plan when the counting stalled.

    Raises:
        FatalError: Ingest turns events away, or takes none for a long time.
    """
    sender = Sender(
        session,
        ingest_url,
        on_progress=lambda sent: display.sent(sent.tally.sent),
    )
    is_sent = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        counting = tasks.create_task(
            _watch_counting(load.expected, reader, is_sent, display)
        )
        await sender.send(load.outbounds())
        is_sent.set()
    return counting.result()


async def _watch_counting(
    expected: Tally, reader: DemoReader, is_sent: asyncio.Event, display: LoadDisplay
) -> Progress:
    last = Progress()
    moved_at = time.monotonic()
    while True:
        progress = await _read(reader, last)
        if progress.applied != last.applied or not is_sent.is_set():
            moved_at = time.monotonic()
        last = progress
        display.counted(progress.applied, progress.lag_seconds)
        if is_sent.is_set() and (
            _is_settled(progress, expected)
            or time.monotonic() - moved_at > STALLED_SECONDS_MAX
        ):
            return progress
        await asyncio.sleep(POLL_SECONDS)


async def _read(reader: DemoReader, last: Progress) -> Progress:
    """Read progress; during an outage, what was read last."""
    try:
        return await reader.progress()
    except TransientError:
        return last


def _is_settled(progress: Progress, expected: Tally) -> bool:
    # Repeats that the sender could not avoid come on top of the planned ones, so
    # duplicates have no upper bound to wait for: the log's end has.
    return (
        progress.counted >= expected.counted
        and progress.reversed >= expected.reversed
        and progress.duplicates >= expected.duplicates
        and progress.in_flight == 0
    )


async def read_outcome(load: Load, progress: Progress, reader: DemoReader) -> Outcome:
    """Read the totals, and wait until the target's alert fires upon them.

    Raises:
        TransientError: Postgres does not answer for now.
    """
    published = sum_by_indicator(load.plans)
    value = published.get(TARGET_INDICATOR, (0, 0))[0]
    counted = await reader.totals(PROVINCE)
    deadline = time.monotonic() + ALERT_SECONDS_MAX
    target = await reader.target(TARGET_ID)
    while not has_fired(target, value) and time.monotonic() < deadline:
        await asyncio.sleep(POLL_SECONDS)
        target = await reader.target(TARGET_ID)
    return Outcome(
        published=published,
        counted=counted,
        progress=progress,
        target=target,
        target_value=value,
    )
