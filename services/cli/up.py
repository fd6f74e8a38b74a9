"""`uptake up`: the whole system on this machine, until Ctrl-C."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Final

import typer

from services.cli.interrupt import (
    EXIT_INTERRUPTED,
    run_until_stopped,
    stop_with_parent,
)
from services.cli.shipped import shipped_catalogue
from services.cli.stack import StackPlan, held_folder, running_stack
from services.cli.stack_settings import GivenServers, StackSettings
from shared.catalogue.load import load_catalogue
from shared.settings import load_settings

TITLE: Final = "uptake up"


def up(
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Where data and logs are kept.")
    ] = Path(".uptake/up"),
    catalogue: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The catalogue; else UPTAKE_CATALOGUE, else Vietnam's.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the whole system on this machine until Ctrl-C.

    With UPTAKE_KAFKA_BOOTSTRAP_SERVERS and UPTAKE_POSTGRES_DSN it uses those servers;
    without, it starts embedded ones, which begin empty and end with it.
    UPTAKE_HTTP_PORT is the first of four ports (8080).
    """
    stop_with_parent(os.environ)
    settings = load_settings(StackSettings)
    chosen = catalogue or settings.catalogue or shipped_catalogue()
    load_catalogue(chosen)  # its mistakes show here, not in three logs
    plan = StackPlan(
        title=TITLE,
        folder=data,
        catalogue=chosen,
        settings=settings,
        given=GivenServers.from_settings(settings),
    )
    has_started = False

    async def body() -> None:
        nonlocal has_started
        say(f"{TITLE}   data: {data}   catalogue: {chosen}")
        async with held_folder(TITLE, data), running_stack(plan, say):
            has_started = True
            say("\nRunning. Ctrl-C stops everything.")
            await asyncio.Event().wait()

    run_until_stopped(body)
    if not has_started:
        raise typer.Exit(EXIT_INTERRUPTED)
    say("stopped")


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)
