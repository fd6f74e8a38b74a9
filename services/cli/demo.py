"""`uptake demo`: the whole way on real figures, from sending to a firing alert."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import aiohttp
import typer

from services.cli.demo_catalogue import write_demo_catalogue
from services.cli.demo_load import Load, read_outcome, run_load
from services.cli.demo_plan import (
    DAY_COUNT,
    PROVINCE_NAME,
    TARGET_ID,
    DemoAgency,
    plan_demo,
    province_figures,
)
from services.cli.demo_progress import show_load
from services.cli.demo_reading import DemoReader, open_reader_pool
from services.cli.demo_report import (
    Doors,
    Outcome,
    report_doors,
    report_target,
    report_totals,
)
from services.cli.interrupt import (
    EXIT_INTERRUPTED,
    run_until_stopped,
    stop_with_parent,
)
from services.cli.shipped import shipped_catalogue
from services.cli.simulate.plan import Unrest
from services.cli.stack import Stack, StackPlan, held_folder, running_stack
from services.cli.stack_settings import GivenServers, StackSettings
from services.cli.up import say
from shared.catalogue.figures import load_figures
from shared.catalogue.load import load_catalogue
from shared.clock import SystemClock
from shared.settings import load_settings

TITLE: Final = "uptake demo"
FIRST_SENDER: Final = "tha-voso"
EXAMPLE_TYPE: Final = "uptake.ecommerce.completed"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How the demo runs.

    Attributes:
        data: Its folder.
        is_once: Whether it ends by itself.
        events_wanted: About so many events; None for the sizes of real agencies.
        seed: Of the plan.
        takes_given_servers: Whether servers named in the environment are used.
    """

    data: Path
    is_once: bool
    events_wanted: int | None
    seed: int
    takes_given_servers: bool


@dataclass(frozen=True, slots=True)
class Stage:
    """What is made ready before the stack starts."""

    catalogue: Path
    agencies: tuple[DemoAgency, ...]
    load: Load
    commune_count: int
    today: date


def demo(
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="End by itself; exit 0 only if all figures are equal."
        ),
    ] = False,
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Where everything is kept.")
    ] = Path(".uptake/demo"),
    events: Annotated[
        int | None, typer.Option(min=100, help="About how many events.", hidden=True)
    ] = None,
    seed: Annotated[int, typer.Option(hidden=True)] = 38,
    on_given_servers: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Show the whole way on published figures, embedded, on this machine.

    Starts everything, lets made-up agencies send what was published for one province,
    and shows the totals beside the published figures, and a target that lags.
    UPTAKE_HTTP_PORT is the first of four ports (8080).
    """
    stop_with_parent(os.environ)
    options = DemoOptions(
        data=data,
        is_once=once,
        events_wanted=events,
        seed=seed,
        # Not by chance: made-up figures do not belong in a system in use.
        takes_given_servers=on_given_servers,
    )
    outcome: Outcome | None = None

    async def body() -> None:
        nonlocal outcome
        async with _demo_stack(options) as (stage, stack):
            outcome = await _run(stage, stack)
            _say_all(report_totals(outcome))
            _say_all(["", *report_target(TARGET_ID, outcome), ""])
            if options.is_once:
                return
            _say_all(report_doors(_doors(stage, stack, options)))
            say("\nRunning. Ctrl-C stops everything.")
            await asyncio.Event().wait()

    run_until_stopped(body)
    if outcome is None:
        raise typer.Exit(EXIT_INTERRUPTED)
    if not once:
        say("stopped")
        return
    for difference in outcome.differences:
        print(f"uptake: {difference}", file=sys.stderr)
    say("all figures equal, the alert fires" if not outcome.differences else "FAILED")
    raise typer.Exit(1 if outcome.differences else 0)


@asynccontextmanager
async def _demo_stack(options: DemoOptions) -> AsyncIterator[tuple[Stage, Stack]]:
    """Prepare the folder and run the stack in it."""
    settings = load_settings(StackSettings)
    is_again = (options.data / "catalogue").exists()
    say(f"{TITLE}   data: {options.data}")
    async with held_folder(TITLE, options.data):
        if is_again:
            say("  starts clean: what an earlier run left there is removed")
        stage = _set_stage(options)
        plan = StackPlan(
            title=TITLE,
            folder=options.data,
            catalogue=stage.catalogue,
            settings=settings,
            given=GivenServers.from_settings(settings)
            if options.takes_given_servers
            else None,
            client_environment={"UPTAKE_KEY": stage.agencies[0].key},
        )
        async with running_stack(plan, say) as stack:
            yield stage, stack


def _set_stage(options: DemoOptions) -> Stage:
    shipped = shipped_catalogue()
    zone = ZoneInfo(load_catalogue(shipped).timezone)
    today = SystemClock().now().astimezone(zone).date()
    agencies = write_demo_catalogue(shipped, options.data, today)
    catalogue = load_catalogue(options.data / "catalogue")
    figures = province_figures(load_figures(shipped / "figures.csv"))
    plans = plan_demo(
        catalogue, figures, agencies, today, events_wanted=options.events_wanted
    )
    return Stage(
        catalogue=options.data / "catalogue",
        agencies=agencies,
        load=Load(plans=plans, unrest=Unrest(), zone=zone, seed=options.seed),
        commune_count=len(plans[0].flows[0].leaves),
        today=today,
    )


async def _run(stage: Stage, stack: Stack) -> Outcome:
    """Send, count, and read what came of it."""
    expected = stage.load.expected
    percent = round(100 * expected.duplicates / (expected.sent - expected.duplicates))
    say(
        f"\n{PROVINCE_NAME}, published figures over the last {DAY_COUNT} days:"
        f" {len(stage.agencies)} agencies,\n{stage.commune_count} communes, "
        f"{percent} % sent twice, out of order"
    )
    async with aiohttp.ClientSession() as session:
        pool = await open_reader_pool(stack.postgres_settings)
        try:
            reader = DemoReader(pool, session, f"{stack.url('aggregation')}/metrics")
            with (
                show_load(expected.sent) as display,
                stack.saying(display.line),
            ):
                progress = await run_load(
                    stage.load, session, reader, stack.url("ingest"), display
                )
            say("")
            return await read_outcome(stage.load, progress, reader)
        finally:
            await pool.close()


def _say_all(lines: list[str]) -> None:
    for line in lines:
        say(line)


def _doors(stage: Stage, stack: Stack, options: DemoOptions) -> Doors:
    sender = next(one for one in stage.agencies if one.id == FIRST_SENDER)
    leaf = stage.load.plans[0].flows[0].leaves[0]
    now = SystemClock().now().astimezone(stage.load.zone)
    return Doors(
        ingest=stack.url("ingest"),
        board=stack.url("board"),
        key=sender.key,
        event={
            "specversion": "1.0",
            "id": f"by-hand-{now:%H%M%S}",
            "source": sender.source,
            "type": EXAMPLE_TYPE,
            "time": _to_the_second(now),
            "data": {"locality": leaf, "count": 1, "amount": 412_750},
        },
        command=_own_command(),
        data=str(options.data),
    )


def _to_the_second(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")


def _own_command() -> str:
    """Say how the user calls us: by name if that finds us, else by path."""
    called = Path(sys.argv[0])
    if called.name != "uptake":
        return f"{Path(sys.executable).name} -m services.cli"
    found = shutil.which("uptake")
    if found is not None and Path(found).samefile(called):
        return "uptake"
    return os.path.relpath(called)
