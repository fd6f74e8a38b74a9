"""Shows a verb at work: a bar on a terminal, log lines elsewhere."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from services.aggregation.jobs.rebuild import Display, Outcome
from services.aggregation.jobs.republish import Display as RepublishDisplay

LINE_EVERY_SECONDS: Final = 5.0
BAR_WIDTH: Final = 24

_log = logging.getLogger(__name__)


@contextmanager
def show_rebuild(*, on_terminal: bool) -> Iterator[Display]:
    """Show the rebuild while the body runs.

    Args:
        on_terminal: Whether a person looks at the error stream.
    """
    if not on_terminal:
        yield LogLines()
        return
    with Progress(
        TextColumn("rebuilding"),
        BarColumn(BAR_WIDTH),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True, highlight=False),
    ) as progress:
        yield Bar(progress)


class Bar:
    """A bar on a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("rebuild", total=None, note="")

    def began(self, *, resumed: bool) -> None:
        """Say whether an earlier run is gone on with."""
        if resumed:
            self._progress.console.print("going on with what an earlier run left")

    def moved(self, applied: int, wanted: int) -> None:
        """Move the bar."""
        note = f"{applied:,} of {wanted:,} records"
        self._progress.update(self._task, completed=applied, total=wanted, note=note)

    def waits(self, reason: str | None) -> None:
        """Say what is waited for."""
        if reason is not None:
            self._progress.console.print(f"waiting: {reason}", markup=False)


class LogLines:
    """A log line every few seconds."""

    def __init__(self) -> None:
        self._began_at = time.monotonic()
        self._said_at = self._began_at
        self._first: int | None = None

    def began(self, *, resumed: bool) -> None:
        """Log that the next generation's tables are there."""
        _log.info("rebuild_began", extra={"resumed": resumed})

    def moved(self, applied: int, wanted: int) -> None:
        """Log how far it is, now and then."""
        now = time.monotonic()
        if self._first is None:
            self._first, self._began_at = applied, now
        if applied < wanted and now - self._said_at < LINE_EVERY_SECONDS:
            return
        self._said_at = now
        seconds = max(now - self._began_at, 0.001)
        _log.info(
            "rebuild_progress",
            extra={
                "records": applied,
                "of_records": wanted,
                "records_per_second": int((applied - self._first) / seconds),
            },
        )

    def waits(self, reason: str | None) -> None:
        """Log what is waited for."""
        if reason is not None:
            _log.info("rebuild_waits", extra={"reason": reason})


def say_outcome(outcome: Outcome, *, on_terminal: bool) -> None:
    """Say what came of it: sentences for a person, log lines elsewhere."""
    differing = outcome.comparison.differing
    examples = outcome.comparison.examples
    if not on_terminal:
        for each in examples:
            _log.warning(
                "generations_differ",
                extra={
                    "table": each.what,
                    "key": each.key,
                    "kept": each.kept,
                    "rebuilt": each.rebuilt,
                },
            )
        _log.info(
            "rebuild_switched" if outcome.switched else "rebuild_compared",
            extra={"records": outcome.records, "differing": differing},
        )
        return
    lines = [
        f"{each.what} {each.key}: kept {each.kept or 'nothing'}, "
        f"rebuilt {each.rebuilt or 'nothing'}"
        for each in examples
    ]
    if differing > len(examples):
        lines.append(f"and {differing - len(examples):,} more rows")
    found = f"{differing:,} rows differ" if differing else "every row is equal"
    end = "the rebuilt totals serve now"
    if not outcome.switched:
        end = "nothing was changed"
        if differing:
            end += "; `uptake rebuild` puts the rebuilt totals in place"
    lines.append(f"{outcome.records:,} records rebuilt: {found}; {end}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))


@contextmanager
def show_republication(*, on_terminal: bool) -> Iterator[RepublishDisplay]:
    """Show the republication while the body runs.

    Args:
        on_terminal: Whether a person looks at the error stream.
    """
    if not on_terminal:
        yield RepublishLines()
        return
    with Progress(
        TextColumn("publishing again"),
        BarColumn(BAR_WIDTH),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True, highlight=False),
    ) as progress:
        yield RepublishBar(progress)


class RepublishBar:
    """A bar on a terminal: what is published, of all that is to be."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("republish", total=None, note="")

    def moved(self, noted: int, of_rows: int, waiting: int) -> None:
        """Move the bar."""
        # What waits may be more than ours, and there may be more than was counted.
        left = max(of_rows - noted, 0) + waiting
        note = f"{left:,} of {of_rows:,} totals left"
        done = max(of_rows - left, 0)
        self._progress.update(self._task, completed=done, total=of_rows, note=note)

    def waits(self, reason: str | None) -> None:
        """Say what is waited for."""
        if reason is not None:
            self._progress.console.print(f"waiting: {reason}", markup=False)


class RepublishLines:
    """A log line every few seconds."""

    def __init__(self) -> None:
        self._said_at = float("-inf")

    def moved(self, noted: int, of_rows: int, waiting: int) -> None:
        """Log how far it is, now and then."""
        now = time.monotonic()
        if now - self._said_at < LINE_EVERY_SECONDS:
            return
        self._said_at = now
        _log.info(
            "republish_progress",
            extra={"noted": noted, "of_totals": of_rows, "waiting": waiting},
        )

    def waits(self, reason: str | None) -> None:
        """Log what is waited for."""
        if reason is not None:
            _log.info("republish_waits", extra={"reason": reason})


def say_published(totals: int, *, on_terminal: bool) -> None:
    """Say how many totals were published."""
    if on_terminal:
        sys.stdout.write(f"{totals:,} totals published again\n")
    else:
        _log.info("republished", extra={"totals": totals})
