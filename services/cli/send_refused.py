"""Writes the rows that were turned away into a file that can be corrected and sent.

It has the columns of its original, and before them the row's number, code, detail and
the id that the row keeps. A file that somebody has edited since is never written over.
"""

import csv
import glob
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from typing_extensions import override

from services.cli.send_columns import (
    REFUSED_CODE,
    REFUSED_COLUMNS,
    REFUSED_DETAIL,
    REFUSED_ID,
    REFUSED_LINE,
    REFUSED_ROW,
    REFUSED_SHEET,
)
from services.cli.send_files import FileFormat, FileProblemError, Refusal, parse_object
from services.cli.send_plan import Plan, RefusedRow
from services.cli.send_state import SUFFIX, SentState

FILES_MAX: Final = 1_000
REFUSED: Final = "refused"
# Of rows that were accepted and are in no total, as the board told.
REJECTED: Final = "rejected"


def refused_paths(path: Path) -> list[Path]:
    """Return the files of a file's refused rows of which something was sent."""
    pattern = f"{glob.escape(path.stem)}.refused*{SUFFIX}"
    return sorted(
        found.with_name(found.name.removesuffix(SUFFIX))
        for found in path.parent.glob(pattern)
    )


class RefusedFile:
    """The rows turned away; made when there is one.

    Sheets with other columns get files of their own.
    """

    def __init__(
        self, plan: Plan, state: SentState | None, stack: ExitStack, what: str
    ) -> None:
        """Name what was refused; nothing is written yet.

        Args:
            plan: The file that is sent.
            state: Knows how earlier files of refused rows were left.
            stack: Closes the files.
            what: What the rows are; it stands in the name of the file.
        """
        self._what = what
        self._plan = plan
        self._state = state
        self._stack = stack
        self._headers = {part.layout.sheet: part.layout.header for part in plan.parts}
        self._delimiter = plan.parts[0].layout.delimiter or ","
        self._outputs: dict[tuple[str, ...], _Output] = {}

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that were written."""
        return tuple(output.path for output in self._outputs.values())

    def write(self, rows: tuple[RefusedRow, ...]) -> None:
        """Add rows.

        Raises:
            FileProblemError: The file cannot be written.
        """
        touched = {}
        for row in rows:
            output = self._output_of(row)
            touched[output.path] = output
            with _writing(output.path):
                output.write(row)
        for path, output in touched.items():
            with _writing(path):
                output.flush()
                # At once, since nothing else tells a file that a killed command left
                # from one that somebody has edited.
                if self._state is not None:
                    self._state.note_written(path)

    def finish(self) -> None:
        """Remember what was written, and take away what holds no more."""
        if self._state is None:
            return
        with _writing(self._plan.path):
            first = self._path(1)
            if not self._outputs and self._state.is_as_written(first):
                first.unlink()

    def _output_of(self, row: RefusedRow) -> "_Output":
        header = self._headers.get(row.sheet, ())
        if header not in self._outputs:
            path = self._free_path()
            is_json = self._plan.format is FileFormat.NDJSON
            # With a byte order mark, since else Excel takes it for another encoding
            # and spoils Vietnamese.
            encoding = "utf-8" if is_json else "utf-8-sig"
            with _writing(path):
                stream = self._stack.enter_context(
                    path.open("w", encoding=encoding, newline="")
                )
                self._outputs[header] = (
                    _Lines(path, stream)
                    if is_json
                    else _Table(path, stream, self._plan, header, self._delimiter)
                )
        return self._outputs[header]

    def _free_path(self) -> Path:
        for number in range(1, FILES_MAX):
            path = self._path(number)
            is_ours = self._state is not None and self._state.is_as_written(path)
            if path not in self.paths and (is_ours or not path.exists()):
                return path
        raise FileProblemError(
            f"{self._path(1)}: {FILES_MAX:,} files of refused rows; put them elsewhere"
        )

    def _path(self, number: int) -> Path:
        path = self._plan.path
        counted = self._what if number == 1 else f"{self._what}-{number}"
        suffix = "ndjson" if self._plan.format is FileFormat.NDJSON else "csv"
        return path.with_name(f"{path.stem}.{counted}.{suffix}")


class _Output:
    """One file of refused rows."""

    def __init__(self, path: Path, stream: IO[str]) -> None:
        self.path = path
        self._stream = stream

    def write(self, row: RefusedRow) -> None:
        """Add a row."""
        raise NotImplementedError

    def flush(self) -> None:
        """Have what was added stand in the file."""
        self._stream.flush()


class _Table(_Output):
    """CSV with the columns of the original."""

    def __init__(
        self,
        path: Path,
        stream: IO[str],
        plan: Plan,
        header: tuple[str, ...],
        delimiter: str,
    ) -> None:
        super().__init__(path, stream)
        self._has_sheets = any(part.layout.sheet for part in plan.parts)
        self._has_ids = not plan.has_own_ids or REFUSED_ID in header
        self._kept = [at for at, name in enumerate(header) if _is_theirs(name)]
        self._width = len(header)
        self._id_at = header.index(REFUSED_ID) if REFUSED_ID in header else None
        self._writer: Any = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
        ours = [REFUSED_ROW, REFUSED_CODE, REFUSED_DETAIL]
        if self._has_sheets:
            ours.insert(1, REFUSED_SHEET)
        if self._has_ids:
            ours.append(REFUSED_ID)
        self._writer.writerow([*ours, *(header[at] for at in self._kept)])

    @override
    def write(self, row: RefusedRow) -> None:
        ours: list[object] = [row.number, row.code, row.detail]
        if self._has_sheets:
            ours.insert(1, row.sheet)
        if self._has_ids:
            ours.append(self._id_of(row))
        # Cells beyond the header stay, and so does a row that is too short: whoever
        # corrects it has to see it as it is.
        beyond = range(self._width, len(row.texts))
        theirs = [row.texts[at] for at in (*self._kept, *beyond) if at < len(row.texts)]
        self._writer.writerow([*ours, *theirs])

    def _id_of(self, row: RefusedRow) -> str:
        """Return the id that a row keeps, also when it is refused once more."""
        if self._id_at is not None and self._id_at < len(row.texts):
            return row.texts[self._id_at]
        return row.made_id or ""


class _Lines(_Output):
    """NDJSON with three members more."""

    @override
    def write(self, row: RefusedRow) -> None:
        line = row.texts[0] if row.texts else ""
        ours: dict[str, object] = {
            REFUSED_ROW: row.number,
            REFUSED_CODE: row.code,
            REFUSED_DETAIL: row.detail,
        }
        parsed = parse_object(line)
        if isinstance(parsed, Refusal):
            ours[REFUSED_LINE] = line
            parsed = {}
        made_id = parsed.get(REFUSED_ID, row.made_id)
        if made_id is not None and "id" not in parsed:
            ours[REFUSED_ID] = made_id
        theirs = {name: parsed[name] for name in parsed if _is_theirs(name)}
        whole = {**ours, **theirs}
        text = json.dumps(whole, ensure_ascii=False)
        try:
            text.encode()
        except UnicodeEncodeError:
            # Half a character has no UTF-8; its escape means the same.
            text = json.dumps(whole)
        self._stream.write(f"{text}\n")


def _is_theirs(name: str) -> bool:
    return name not in REFUSED_COLUMNS


@contextmanager
def open_refused_file(
    plan: Plan, state: SentState | None, what: str = REFUSED
) -> Iterator[RefusedFile]:
    """Write rows that were turned away, while they are told."""
    with ExitStack() as stack:
        refused = RefusedFile(plan, state, stack, what)
        yield refused
        refused.finish()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise FileProblemError(
            f"{path}: refused rows cannot be written: {reason}"
        ) from error
