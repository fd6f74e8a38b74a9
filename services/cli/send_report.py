"""Tells the clerk what became of each row: the file of refusals and the summary."""

import contextlib
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from services.cli.render import plain
from services.cli.send_columns import Attribute
from services.cli.send_files import FileFormat, FileProblemError
from services.cli.send_http import Outcome
from services.cli.send_plan import Plan, RefusedRow

EXAMPLES_MAX: Final = 5
LINE_MAX: Final = 76
_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(slots=True)
class Tally:
    """What became of the rows of a file so far."""

    accepted: int = 0
    refused: int = 0
    examples: list[RefusedRow] = field(default_factory=list)
    """The first few refusals."""

    def add(self, outcome: Outcome) -> None:
        """Add a batch."""
        self.accepted += outcome.accepted
        self.refused += len(outcome.refused)
        room = EXAMPLES_MAX - len(self.examples)
        self.examples += outcome.refused[: max(room, 0)]


def refused_path(path: Path) -> Path:
    """Return where the refusals of a file are written: beside it."""
    return path.with_name(f"{path.stem}.refused.csv")


class RefusedFile:
    """The rows turned away: number, code, detail; made when there is one."""

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        """Name the file; an older one stays until there is something to write.

        Args:
            path: Where to write.
            stack: Closes the file.
        """
        self._path = path
        self._stack = stack
        self._stream: IO[str] | None = None
        self._writer: Any = None

    def write(self, rows: tuple[RefusedRow, ...]) -> None:
        """Add rows.

        Raises:
            FileProblemError: The file cannot be written.
        """
        if not rows:
            return
        try:
            if self._stream is None:
                # With a byte order mark, since else Excel takes it for another
                # encoding and spoils Vietnamese.
                self._stream = self._stack.enter_context(
                    self._path.open("w", encoding="utf-8-sig", newline="")
                )
                self._writer = csv.writer(self._stream, lineterminator="\n")
                self._writer.writerow(("row", "code", "detail"))
            self._writer.writerows((row.number, row.code, row.detail) for row in rows)
            self._stream.flush()
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise FileProblemError(
                f"{self._path}: refused rows cannot be written: {reason}"
            ) from error


@contextmanager
def open_refused_file(path: Path) -> Iterator[RefusedFile]:
    """Write refusals of a file while it is sent."""
    with contextlib.ExitStack() as stack:
        yield RefusedFile(refused_path(path), stack)


def describe_plan(plan: Plan) -> list[str]:
    """Say how a file is read, before it is sent."""
    layout = plan.layout
    how = "NDJSON"
    if layout.format is FileFormat.CSV:
        how = f"CSV with {_DELIMITERS[layout.delimiter]}"
    lines = [f"{layout.path}: {plan.row_count:,} rows, {how}"]
    zone = plan.defaults.timezone.key
    for column, attribute in plan.columns.items():
        note = ""
        if attribute is Attribute.TIME:
            note = f" (date only: 12:00 {zone})"
        lines.append(f'  column "{plain(column)}" -> {attribute}{note}')
    ignored = [f'"{name}"' for name in layout.header if name not in plan.columns]
    if ignored:
        lines.append(f"  not sent: {plain(', '.join(ignored))}")
    if not plan.has_own_ids and layout.format is FileFormat.CSV:
        lines.append("  ids from each row's content and its place among equal rows")
    return lines


def summarize(plan: Plan, tally: Tally, *, is_dry_run: bool) -> list[str]:
    """Say what became of a file."""
    would = "would be " if is_dry_run else ""
    line = f"  {tally.accepted:,} {would}accepted, {tally.refused:,} {would}refused"
    if tally.refused:
        line += f" -> {refused_path(plan.layout.path)}"
    lines = [line]
    lines += [
        _cut(f"    row {row.number:<7} {row.code:<20} {plain(row.detail)}")
        for row in tally.examples
    ]
    more = tally.refused - len(tally.examples)
    if more > 0:
        lines.append(f"    and {more:,} more in that file")
    if is_dry_run:
        lines.append("  nothing was sent (dry run)")
    return lines


def _cut(line: str) -> str:
    return line if len(line) <= LINE_MAX else f"{line[: LINE_MAX - 1]}…"
