"""Reads the command line of `uptake targets backtest`, and shows how far it is."""

import argparse
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from services.alerting.settings import BacktestSettings
from shared.settings import describe_settings

ABOUT: Final = (
    "Tell when each alert would have fired, had these targets been there: replays what "
    "the ledger knew, instant by instant, not what is known now. FILE is written as "
    "those under targets/ of the catalogue, and stands for all of them. Nothing is "
    "written, and nobody told. Silence of agencies and outages of the platform are not "
    "replayed. Exit status: 0 done, 1 with a reason, 2 bad settings, 130 interrupted."
)
EVERY_HOURS: Final = (24, 12, 8, 6, 4, 3, 2, 1)
BAR_WIDTH: Final = 24


@dataclass(frozen=True, slots=True)
class Words:
    """What the command line says."""

    file: Path
    first: date | None
    last: date | None
    every: timedelta
    as_json: bool
    whole: bool


def parse_words(arguments: Sequence[str]) -> Words:
    """Read the command line; ends the process where it makes no sense."""
    parser = argparse.ArgumentParser(
        "uptake targets backtest",
        description=textwrap.fill(ABOUT, 80),
        epilog="settings (environment only):\n" + describe_settings(BacktestSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="YAML: a list of targets"
    )
    parser.add_argument(
        "--from",
        dest="first",
        type=date.fromisoformat,
        metavar="DAY",
        help="first day; else the first start, or as far back as the ledger tells",
    )
    parser.add_argument(
        "--until",
        dest="last",
        type=date.fromisoformat,
        metavar="DAY",
        help="last day; else the last complete one",
    )
    parser.add_argument(
        "--every",
        type=int,
        choices=EVERY_HOURS,
        default=EVERY_HOURS[0],
        metavar="HOURS",
        help="how often the ledger is looked at, from midnight on: 24 (default), 12, "
        "8, 6, 4, 3, 2 or 1; each look costs the same",
    )
    parser.add_argument(
        "--all",
        dest="whole",
        action="store_true",
        help="also alerts that only waited (in brackets), and targets without any",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    return Words(
        file=options.file,
        first=options.first,
        last=options.last,
        every=timedelta(hours=options.every),
        as_json=options.json,
        whole=options.whole,
    )


@contextmanager
def show_progress(*, on_terminal: bool) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while the body runs, on a terminal; elsewhere nothing.

    Args:
        on_terminal: Whether a person looks at the error stream.
    """
    if not on_terminal:
        yield lambda _done, _wanted: None
        return
    with Progress(
        TextColumn("replaying"),
        BarColumn(BAR_WIDTH),
        TaskProgressColumn(),
        TextColumn("{task.completed:,} of {task.total:,} looks"),
        TimeRemainingColumn(),
        console=Console(stderr=True, highlight=False),
        transient=True,
    ) as progress:
        bar = progress.add_task("replay", total=1)
        yield lambda done, wanted: progress.update(bar, completed=done, total=wanted)


def say(text: str) -> None:
    """Write to where the answer goes."""
    sys.stdout.write(text)
