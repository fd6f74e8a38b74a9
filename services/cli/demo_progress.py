"""Shows sending and counting: two bars on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

LINE_EVERY_SECONDS: Final = 3.0
BAR_WIDTH: Final = 24


class LoadDisplay(Protocol):
    """Told how far the load is."""

    def sent(self, event_count: int) -> None:
        """Note how many events ingest has accepted so far."""

    def counted(self, record_count: int, lag_seconds: float | None) -> None:
        """Note how many records are applied so far, and how old the next one is."""

    def line(self, text: str) -> None:
        """Print a line among what is shown."""


@contextmanager
def show_load(event_total: int) -> Iterator[LoadDisplay]:
    """Show the load while the body runs.

    Args:
        event_total: How many events there are to send.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        yield _Lines(event_total)
        return
    with Progress(
        TextColumn("  {task.description:<9}"),
        BarColumn(BAR_WIDTH),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    ) as progress:
        yield _Bars(progress, event_total)


class _Bars:
    """Two bars on a terminal."""

    def __init__(self, progress: Progress, event_total: int) -> None:
        self._progress = progress
        self._started_at = time.monotonic()
        self._sending = progress.add_task("sending", total=event_total, note="")
        self._counting = progress.add_task("counting", total=event_total, note="")

    def sent(self, event_count: int) -> None:
        seconds = time.monotonic() - self._started_at
        note = f"{event_count:,} events  {_rate(event_count, seconds):,}/s"
        self._progress.update(self._sending, completed=event_count, note=note)

    def counted(self, record_count: int, lag_seconds: float | None) -> None:
        note = "" if lag_seconds is None else f"lag {lag_seconds:.1f} s"
        self._progress.update(self._counting, completed=record_count, note=note)

    def line(self, text: str) -> None:
        self._progress.console.print(text, markup=False, soft_wrap=True)


class _Lines:
    """A line every few seconds, for logs and pipes."""

    def __init__(self, event_total: int) -> None:
        self._event_total = event_total
        self._sent = 0
        self._sending_seconds = 0.0
        self._counted = 0
        self._started_at = time.monotonic()
        self._said_at = self._started_at
        self._is_done = False

    def sent(self, event_count: int) -> None:
        self._sent = event_count
        self._sending_seconds = time.monotonic() - self._started_at
        self._say()

    def counted(self, record_count: int, lag_seconds: float | None) -> None:
        del lag_seconds  # the bars show it
        self._counted = record_count
        self._say()

    def line(self, text: str) -> None:
        print(text, flush=True)

    def _say(self) -> None:
        now = time.monotonic()
        is_done = min(self._sent, self._counted) >= self._event_total
        if self._is_done or (not is_done and now - self._said_at < LINE_EVERY_SECONDS):
            return
        self._is_done = is_done
        self._said_at = now
        seconds = int(now - self._started_at)
        rate = _rate(self._sent, self._sending_seconds)
        self.line(
            f"  {seconds:>3} s   sent {self._sent:>9,} of {self._event_total:,}"
            f"   {rate:>7,}/s   counted {self._counted:>9,}"
        )


def _rate(event_count: int, seconds: float) -> int:
    return int(event_count / max(seconds, 0.001))
