"""`uptake simulate`: agencies at a given rate, untidy, with a known truth."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from pathlib import Path
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp
import typer

from services.cli.interrupt import EXIT_INTERRUPTED, run_until_stopped
from services.cli.simulate import options
from services.cli.simulate.plan import (
    WHOLE_PPM,
    AgencyPlan,
    Tally,
    Unrest,
    expect_tally,
    plan_events,
)
from services.cli.simulate.sender import Outbound, Sender, Sent
from services.cli.simulate.truth import (
    describe_truth,
    plan_simulation,
    senders,
    sum_by_indicator,
)
from shared.catalogue.load import load_catalogue
from shared.clock import SystemClock
from shared.errors import FatalError

EVENTS_MAX: Final = 100_000_000
SEED_MAX: Final = 1_000_000
LINE_EVERY_EVENTS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Simulation:
    """What is sent, where and how fast."""

    plans: Sequence[AgencyPlan]
    unrest: Unrest
    zone: tzinfo
    seed: int
    url: str
    rate: int

    def outbounds(self) -> list[Outbound]:
        """Begin the plans."""
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


def simulate(
    *,
    rate: options.Rate = 1_000,
    duration: options.Duration = 60,
    seed: options.Seed = None,
    duplicates: options.Duplicates = 0.02,
    reversals: options.Reversals = 0.001,
    disorder: options.Disorder = 3_000,
    days: options.Days = 7,
    url: options.Url = "http://127.0.0.1:8080",
    key: options.Key = None,
    keys: options.Keys = None,
    catalogue: options.CatalogueFolder = None,
    truth: options.Truth = None,
) -> None:
    """Let made-up agencies send events whose net effect is known beforehand.

    Prints the truth: what must be counted in the end, to the unit.
    """
    if catalogue is None:
        raise FatalError("no catalogue: give --catalogue DIR or set UPTAKE_CATALOGUE")
    if rate * duration > EVENTS_MAX:
        raise FatalError(f"that is more than {EVENTS_MAX:,} events: shorten it")
    loaded = load_catalogue(catalogue)
    zone = ZoneInfo(loaded.timezone)
    today = SystemClock().now().astimezone(zone).date()
    chosen_seed = secrets.randbelow(SEED_MAX) if seed is None else seed
    plans = plan_simulation(
        loaded,
        senders(loaded, _read_keys(key, keys)),
        # Whole days before today, so that no event is ahead of its time.
        tuple(today - timedelta(days=back) for back in range(days, 0, -1)),
        event_count=rate * duration,
        id_prefix=f"s{chosen_seed}-{today:%y%m%d}-",
    )
    unrest = Unrest(
        duplicate_ppm=round(duplicates * WHOLE_PPM),
        reversal_ppm=round(reversals * WHOLE_PPM),
        disorder_events=disorder,
    )
    simulation = Simulation(plans, unrest, zone, chosen_seed, url, rate)
    expected = expect_tally(plans, unrest)
    _say_truth(simulation, expected)
    if truth is not None:
        _write_truth(truth, describe_truth(plans, expected, seed=chosen_seed))
    if not run_until_stopped(lambda: _send(simulation, expected)):
        raise typer.Exit(EXIT_INTERRUPTED)


async def _send(simulation: Simulation, expected: Tally) -> None:
    said = 0

    def on_progress(sent: Sent) -> None:
        nonlocal said
        if sent.tally.sent - said >= LINE_EVERY_EVENTS:
            said = sent.tally.sent
            print(f"  sent {said:,} of {expected.sent:,}", flush=True)

    async with aiohttp.ClientSession() as session:
        sender = Sender(
            session, simulation.url, rate=simulation.rate, on_progress=on_progress
        )
        sent = await sender.send(simulation.outbounds())
    print(f"sent {sent.tally.sent:,} events, all accepted")
    if sent.repeated_batches:
        print(
            f"{sent.repeated_batches} batches were sent more than once because no "
            "answer came: up to so many thousand more duplicates"
        )


def _read_keys(key: str | None, path: Path | None) -> list[str]:
    if path is None:
        if key is None:
            raise FatalError("no key: give --key KEY, --keys FILE or set UPTAKE_KEY")
        return [key]
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FatalError(f"the keys cannot be read: {error}") from error
    if not isinstance(read, dict) or not all(isinstance(k, str) for k in read.values()):
        raise FatalError(f"{path} is not a JSON object of agency to key")
    return list(read.values())


def _say_truth(simulation: Simulation, expected: Tally) -> None:
    print(
        f"seed {simulation.seed}: {len(simulation.plans)} agencies, {expected.sent:,} "
        f"events at {simulation.rate:,} a second to {simulation.url}"
    )
    print(
        f"  to be found: counted {expected.counted:,}, duplicates "
        f"{expected.duplicates:,}, reversed {expected.reversed:,}"
    )
    for indicator, (count, amount) in sum_by_indicator(simulation.plans).items():
        worth = f"   {amount:,} VND" if amount else ""
        print(f"  {indicator:<30}{count:>16,}{worth}")


def _write_truth(path: Path, said: dict[str, object]) -> None:
    try:
        path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise FatalError(f"the truth cannot be written: {error}") from error
