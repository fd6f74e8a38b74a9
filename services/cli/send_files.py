"""Reads text files to send row by row, in constant memory, and names what is wrong.

A problem of the file as a whole (encoding, no header) is a `FileProblemError`; a
problem of one row is a `Refusal`, and the rows around it are still sent.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final

from shared.errors import RefusalCode, UptakeError

LINE_BYTES_MAX: Final = 1_000_000
DELIMITERS: Final = ",;\t"
BOM: Final = b"\xef\xbb\xbf"
# A batch is as deep as its deepest line, and one line must not spoil a batch.
BRACKETS_MAX: Final = 64

# What else people send, by its first bytes, and what to do about it.
_OTHER_FORMATS: Final = (
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel file or one with a password: save it as XLSX without one",
    ),
    (b"SQLite format 3", "what `uptake send` noted of a file: send that file"),
    (b"\x1f\x8b", "gzip-compressed: unpack it first"),
    (b"\xff\xfe", "UTF-16 text: save it as CSV UTF-8"),
    (b"\xfe\xff", "UTF-16 text: save it as CSV UTF-8"),
    (b"[", "a JSON array: write one object per line (NDJSON)"),
)


class FileProblemError(UptakeError):
    """A file cannot be sent as it is; one line that names it and what to do."""


class FileFormat(StrEnum):
    """How rows stand in a file."""

    CSV = "CSV"
    NDJSON = "NDJSON"
    XLSX = "XLSX"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row is not sent, in the words of the public contract."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as it stands in the file.

    Attributes:
        number: As a spreadsheet counts: rows above the header count, too. In NDJSON
            the line.
        cells: By column; texts in CSV, any JSON value in NDJSON, in XLSX texts and
            what else a cell can hold. A `Refusal` when the row cannot be read at all.
        texts: Cell by cell as it would stand in CSV; of NDJSON the line alone.
    """

    number: int
    cells: Mapping[str, object] | Refusal
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows stand in a file, or in one sheet of it.

    Attributes:
        path: The file.
        format: How it is written.
        delimiter: Between cells of CSV; else empty.
        header: Column names, as they stand; empty for NDJSON.
        header_row: Number of the row in which they stand.
        sheet: Name of the sheet; empty where a file has none.
    """

    path: Path
    format: FileFormat
    delimiter: str = ""
    header: tuple[str, ...] = ()
    header_row: int = 1
    sheet: str = ""

    @property
    def place(self) -> str:
        """Name the file, and the sheet if there is one, for a message."""
        return f'{self.path}, sheet "{self.sheet}"' if self.sheet else str(self.path)


def detect_layout(path: Path, header_row: int | None = None) -> Layout:
    """Look at the beginning of a file of text.

    Args:
        path: The file.
        header_row: Where the column names stand; None for the first row with text.

    Raises:
        FileProblemError: It is missing, empty, of another format or not UTF-8.
    """
    first = next((line for line in read_lines(path) if line.strip()), None)
    if first is None:
        raise FileProblemError(f"{path}: the file is empty")
    if first.lstrip().startswith("{"):
        return Layout(path, FileFormat.NDJSON)
    wanted = 1 if header_row is None else header_row
    # Lines above the header may hold anything, so they are not asked.
    lines = islice(read_lines(path), wanted - 1, None)
    heading = next((line for line in lines if line.strip()), first)
    delimiter = sniff_delimiter(heading)
    for number, cells in _read_records(path, delimiter):
        if number >= wanted:
            return Layout(path, FileFormat.CSV, delimiter, fold_spaces(cells), number)
    raise FileProblemError(f"{path}: there is no row {wanted} for the header")


def fold_spaces(names: Iterable[str]) -> tuple[str, ...]:
    """Write column names in one line each."""
    return tuple(" ".join(name.split()) for name in names)


def sniff_delimiter(header: str) -> str:
    """Return the delimiter that cuts a header into most columns; a comma if none does.

    Only the header is asked: in the rows a comma may well stand in a name.
    """
    return max(
        DELIMITERS,
        key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter))),
    )


def read_text_rows(layout: Layout) -> Iterator[RawRow]:
    """Read a file of text from its beginning; blank rows are passed over.

    Raises:
        FileProblemError: The file as a whole is wrong from some place on.
    """
    if layout.format is FileFormat.NDJSON:
        return _read_ndjson(layout.path)
    return _read_csv(layout)


def read_lines(path: Path) -> Iterator[str]:
    """Read lines of UTF-8, with or without byte order mark.

    Raises:
        FileProblemError: The file cannot be read or is not UTF-8 text; the message
            names the byte.
    """
    if not path.exists():
        raise FileProblemError(f"{path}: no such file")
    # A file is read twice, first to check it; a pipe can be read once only.
    if not path.is_file():
        raise FileProblemError(f"{path}: not a regular file; save its content to one")
    at = 0
    try:
        with path.open("rb") as stream:
            while raw := stream.readline(LINE_BYTES_MAX + 1):
                if at == 0:
                    _refuse_other_formats(path, raw)
                yield _decode_line(path, raw, at)
                at += len(raw)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise FileProblemError(f"{path}: cannot be read: {reason}") from error


def _refuse_other_formats(path: Path, raw: bytes) -> None:
    for start, what in _OTHER_FORMATS:
        if raw.removeprefix(BOM).startswith(start):
            raise FileProblemError(f"{path}: this is {what}")


def _decode_line(path: Path, raw: bytes, at: int) -> str:
    if len(raw) > LINE_BYTES_MAX:
        raise FileProblemError(
            f"{path}: the line at byte {at} is longer than {LINE_BYTES_MAX:,} bytes"
        )
    nul = raw.find(b"\0")
    if nul >= 0:
        raise FileProblemError(
            f"{path}: NUL at byte {at + nul}: not a text file, or a damaged one"
        )
    skipped = len(BOM) if at == 0 and raw.startswith(BOM) else 0
    try:
        return raw[skipped:].decode("utf-8")
    except UnicodeDecodeError as error:
        place = at + skipped + error.start
        raise FileProblemError(
            f"{path}: not UTF-8 at byte {place} (0x{raw[skipped + error.start]:02x}): "
            "save it as CSV UTF-8"
        ) from error


def _read_records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(read_lines(path), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise FileProblemError(
            f"{path}: row {number + 1} (line {reader.line_num}) is not CSV: {error}"
        ) from error


def _read_csv(layout: Layout) -> Iterator[RawRow]:
    width = len(layout.header)
    for number, cells in _read_records(layout.path, layout.delimiter):
        if number <= layout.header_row:
            continue
        # A row cut short would be read with defaults, a row with a delimiter too
        # many in the wrong columns.
        if len(cells) == width:
            named = dict(zip(layout.header, cells, strict=True))
            yield RawRow(number, named, tuple(cells))
        else:
            detail = f"{len(cells)} cells, but the header has {width}"
            yield RawRow(
                number, Refusal(RefusalCode.BAD_DATA, detail), texts=tuple(cells)
            )


def _read_ndjson(path: Path) -> Iterator[RawRow]:
    for number, line in enumerate(read_lines(path), start=1):
        text = line.strip()
        if text:
            yield RawRow(number, parse_object(line), (text,))


def parse_object(line: str) -> Mapping[str, object] | Refusal:
    """Read one line of NDJSON.

    Returns:
        The object, or a refusal if the line is none; keys given twice and NaN are
        refused here, since Python would let them pass in silence.
    """
    if line.count("{") + line.count("[") > BRACKETS_MAX:
        return Refusal(RefusalCode.BAD_DATA, f"more than {BRACKETS_MAX} brackets")
    try:
        value = json.loads(
            line, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant
        )
    except ValueError as error:
        return Refusal(RefusalCode.NOT_AN_OBJECT, f"not JSON: {error}")
    if not isinstance(value, dict):
        return Refusal(RefusalCode.NOT_AN_OBJECT, "the line is not a JSON object")
    return value


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not a JSON number")
