"""Finds what is to be sent in a file of any format: the file, or sheets of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.cli.send_files import (
    FileFormat,
    FileProblemError,
    Layout,
    RawRow,
    detect_layout,
    read_text_rows,
)
from services.cli.send_sheets import detect_sheets, is_workbook, read_sheet_rows


@dataclass(frozen=True, slots=True)
class Parts:
    """What is sent of a file.

    Attributes:
        layouts: One of a text file; one for each sheet of a workbook.
        hidden: Names of hidden sheets that are left out.
    """

    layouts: tuple[Layout, ...]
    hidden: tuple[str, ...] = ()


def detect_parts(
    path: Path, sheets: Sequence[str] = (), header_row: int | None = None
) -> Parts:
    """Look at a file.

    Args:
        path: CSV, NDJSON or XLSX, by its content.
        sheets: Which sheets of a workbook; none for all visible ones.
        header_row: Where column names stand; None for the first row that is not blank.

    Raises:
        FileProblemError: It is missing, empty or of no such format.
    """
    if is_workbook(path):
        return Parts(*detect_sheets(path, sheets, header_row))
    layout = detect_layout(path, header_row)
    if sheets:
        raise FileProblemError(f"{path}: --sheet is for workbooks; this is text")
    return Parts((layout,))


def read_rows(layout: Layout) -> Iterator[RawRow]:
    """Read a file or a sheet from its beginning; blank rows are passed over.

    Raises:
        FileProblemError: The file as a whole is wrong from some place on.
    """
    if layout.format is FileFormat.XLSX:
        return read_sheet_rows(layout)
    return read_text_rows(layout)
