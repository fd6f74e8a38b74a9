"""Shows how far sending is: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

LINE_EVERY_SECONDS: Final = 10.0
WAIT_EVERY_SECONDS: Final = 5.0


class ProgressDisplay(Protocol):
    """Told what happens while a file is sent."""

    def advance(self, row_count: int) -> None:
        """Note that so many more rows are settled."""

    def wait(self, reason: str) -> None:
        """Note that we wait, and why."""


class _Pace:
    """Says yes at most once in a while."""

    def __init__(self, every_seconds: float) -> None:
        self._every_seconds = every_seconds
        self._last: float | None = None

    def is_due(self) -> bool:
        """Tell whether it is time again, and begin to wait anew if so."""
        now = time.monotonic()
        if self._last is not None and now - self._last < self._every_seconds:
            return False
        self._last = now
        return True


class _Bar:
    """A bar on a terminal."""

    def __init__(self, progress: Progress, title: str, row_count: int) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=row_count)
        self._waits = _Pace(WAIT_EVERY_SECONDS)

    def advance(self, row_count: int) -> None:
        self._progress.advance(self._task, row_count)

    def wait(self, reason: str) -> None:
        if self._waits.is_due():
            self._progress.console.print(Text(f"  waiting: {reason}", "yellow"))


class _Lines:
    """Lines for a log or a pipe."""

    def __init__(self, title: str, row_count: int) -> None:
        self._title = title
        self._total = row_count
        self._done = 0
        self._lines = _Pace(LINE_EVERY_SECONDS)
        self._lines.is_due()
        self._waits = _Pace(WAIT_EVERY_SECONDS)

    def advance(self, row_count: int) -> None:
        self._done += row_count
        if self._lines.is_due():
            self._say(f"  {self._title}: {self._done:,} of {self._total:,} rows")

    def wait(self, reason: str) -> None:
        if self._waits.is_due():
            self._say(f"  waiting: {reason}")

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


@contextmanager
def show_progress(title: str, row_count: int) -> Iterator[ProgressDisplay]:
    """Show the progress of one file on the error stream."""
    if not sys.stderr.isatty():
        yield _Lines(title, row_count)
        return
    with Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=24),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    ) as progress:
        yield _Bar(progress, title, row_count)
