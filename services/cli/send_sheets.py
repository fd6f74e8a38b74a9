"""Reads sheets of XLSX workbooks row by row, as texts that CSV would hold.

Only what was stored is read: a formula is what it came to when the workbook was last
saved. Rows are streamed; in memory stand the workbook's texts (bounded) and one row.
"""

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Self
from xml.etree.ElementTree import Element, ParseError, iterparse

from openpyxl import load_workbook
from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import (
    DATA_TAG,
    FORMULA_TAG,
    ROW_TAG,
    WorkSheetParser,
)
from typing_extensions import override

from services.cli.send_files import (
    FileFormat,
    FileProblemError,
    Layout,
    RawRow,
    Refusal,
    fold_spaces,
)
from shared.errors import RefusalCode

ZIP_START: Final = b"PK\x03\x04"
# What openpyxl holds in memory: texts of all sheets; styles and the like.
TEXTS_BYTES_MAX: Final = 256 * 1024 * 1024
PART_BYTES_MAX: Final = 32 * 1024 * 1024
ROWS_MAX: Final = 1_048_576
# Spreadsheets keep no more digits of a number; what is longer was rounded.
EXACT_MAX: Final = 10**15

_TEXTS: Final = "xl/sharedStrings.xml"
_SHEETS: Final = "xl/worksheets/"
_BROKEN: Final = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    ParseError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
)


class Digits(str):
    """The digits of a number: zeros that a code began with are lost."""

    __slots__ = ()


class BrokenCell(str):
    """What a cell shows that holds no value, and why.

    Attributes:
        detail: What is wrong and what to do.
    """

    __slots__ = ("detail",)

    detail: str

    def __new__(cls, shown: str, detail: str) -> Self:
        """Make one that is shown like this."""
        made = super().__new__(cls, shown)
        made.detail = detail
        return made


def is_workbook(path: Path) -> bool:
    """Tell whether a file begins as XLSX does; false if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(ZIP_START)) == ZIP_START
    except OSError:
        return False


def detect_sheets(
    path: Path, wanted: Sequence[str] = (), header_row: int | None = None
) -> tuple[tuple[Layout, ...], tuple[str, ...]]:
    """Find the sheets to send and their headers.

    Args:
        path: A workbook.
        wanted: Names of sheets; none for all that are visible and hold anything.
        header_row: Where column names stand; None for the first row that has any.

    Returns:
        The sheets' layouts in the workbook's order, and names of hidden sheets that
        are left out.

    Raises:
        FileProblemError: It is no workbook, or has no such sheet, or nothing to send.
    """
    with _open(path) as workbook:
        sheets = {sheet.title: sheet for sheet in workbook.worksheets}
        for name in wanted:
            if name not in sheets:
                listed = ", ".join(f'"{title}"' for title in list(sheets)[:20])
                raise FileProblemError(f'{path}: no sheet "{name}"; it has {listed}')
        hidden = tuple(
            name
            for name, sheet in sheets.items()
            if not wanted and sheet.sheet_state != "visible"
        )
        layouts = [
            layout
            for name, sheet in sheets.items()
            if name not in hidden and (not wanted or name in wanted)
            for layout in _detect_layout(path, sheet, header_row)
        ]
    empty = set(wanted) - {layout.sheet for layout in layouts}
    if empty:
        raise FileProblemError(f'{path}: sheet "{empty.pop()}" has no header row')
    if not layouts:
        raise FileProblemError(f"{path}: the workbook has no sheet with a header row")
    return tuple(layouts), hidden


def _detect_layout(
    path: Path, sheet: ReadOnlyWorksheet, header_row: int | None
) -> Iterator[Layout]:
    """Find the header of a sheet; of an empty one none."""
    for number, cells in _read_texts(sheet):
        if any(cells) and (header_row is None or number >= header_row):
            header = fold_spaces(cells)
            while header and not header[-1]:
                header = header[:-1]
            yield Layout(
                path, FileFormat.XLSX, "", header, number, sheet=str(sheet.title)
            )
            return


def read_sheet_rows(layout: Layout) -> Iterator[RawRow]:
    """Read a sheet from below its header; blank rows are passed over.

    Raises:
        FileProblemError: The workbook is damaged from some place on.
    """
    width = len(layout.header)
    with _open(layout.path) as workbook:
        for number, cells in _read_texts(workbook[layout.sheet]):
            if number <= layout.header_row or not any(map(str.strip, cells)):
                continue
            texts = (*cells[:width], *[""] * (width - len(cells)))
            beyond = [at for at in range(width, len(cells)) if cells[at].strip()]
            if beyond:
                column = get_column_letter(beyond[0] + 1)
                detail = f"cell {column}{number} stands under no column name"
                yield RawRow(
                    number, Refusal(RefusalCode.BAD_DATA, detail), tuple(cells)
                )
            else:
                named = dict(zip(layout.header, texts, strict=True))
                yield RawRow(number, named, texts)


@contextmanager
def _open(path: Path) -> Iterator[Workbook]:
    if not path.is_file():
        raise FileProblemError(f"{path}: not a regular file; save its content to one")
    try:
        with ExitStack() as stack:
            # What openpyxl cannot keep does not matter: nothing is written.
            stack.enter_context(warnings.catch_warnings(action="ignore"))
            # Opened here, since openpyxl goes by names and we by content.
            stream = stack.enter_context(path.open("rb"))
            _check_size(path)
            workbook = load_workbook(stream, read_only=True, keep_links=False)
            stack.callback(workbook.close)
            yield workbook
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise FileProblemError(f"{path}: cannot be read: {reason}") from error
    except _BROKEN as error:
        raise FileProblemError(
            f"{path}: this is no XLSX workbook, or a damaged one: open it in a "
            "spreadsheet and save it as XLSX"
        ) from error


def _check_size(path: Path) -> None:
    """Refuse what would not fit in memory; sheets are streamed and may be long."""
    with zipfile.ZipFile(path) as archive:
        for part in archive.infolist():
            is_read = part.filename.endswith((".xml", ".rels"))
            most = TEXTS_BYTES_MAX if part.filename == _TEXTS else PART_BYTES_MAX
            if (
                is_read
                and part.file_size > most
                and not part.filename.startswith(_SHEETS)
            ):
                raise FileProblemError(
                    f"{path}: {part.filename} holds {part.file_size:,} bytes; at most "
                    f"{most:,} can be read: save the sheet as CSV UTF-8"
                )


class _RowParser(WorkSheetParser):
    """Parses rows and forgets each, so that a sheet's length costs no memory."""

    def rows(self) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Go through the rows: number and cells."""
        source: Any = self.source
        data: Element | None = None
        # Expat bounds what entities may grow to, and the file is the user's own.
        events = iterparse(source, events=("start", "end"))  # noqa: S314 -- see above
        for event, element in events:
            if element.tag == DATA_TAG:
                data = element
            elif event == "end" and element.tag == ROW_TAG:
                yield self.parse_row(element)
                # It would else keep what is to be known of every row for ever.
                self.row_dimensions.clear()
                if data is not None:
                    data.clear()
            elif event == "end" and data is None:
                element.clear()

    @override
    def parse_cell(self, element: Element) -> dict[str, Any]:
        """Read a cell and whether a formula stands behind it."""
        cell: dict[str, Any] = super().parse_cell(element)
        cell["is_formula"] = element.find(FORMULA_TAG) is not None
        return cell


def _read_texts(sheet: ReadOnlyWorksheet) -> Iterator[tuple[int, list[str]]]:
    """Go through the rows that a sheet stores: number and cells from column A on."""
    formats = _Formats(sheet)
    # Its own way to the rows leaves out what lies beyond the size that the sheet
    # claims, and tells no formula from an empty cell; so its parts are used.
    inner: Any = sheet
    with inner.parent._archive.open(inner._worksheet_path) as source:  # noqa: SLF001 -- see above
        parser = _RowParser(
            source,
            inner._shared_strings,  # noqa: SLF001 -- see above
            data_only=True,
            epoch=inner.parent.epoch,
            date_formats=inner.parent._date_formats,  # noqa: SLF001 -- see above
            timedelta_formats=inner.parent._timedelta_formats,  # noqa: SLF001 -- see above
        )
        for number, cells in parser.rows():
            if number > ROWS_MAX:
                raise ValueError(f"row {number} is beyond what a sheet can hold")
            texts: list[str] = []
            for cell in cells:
                texts += [""] * (cell["column"] - 1 - len(texts))
                texts.append(_map_cell(cell, number, formats))
            yield number, texts


class _Formats:
    """Knows how many digits a cell shows at least, by its style."""

    def __init__(self, sheet: ReadOnlyWorksheet) -> None:
        self._sheet = sheet
        self._digits: dict[int, int] = {}

    def digits(self, style: int) -> int:
        """Return 5 for the format 00000; 0 for one that adds no zeros."""
        if style not in self._digits:
            cell = ReadOnlyCell(self._sheet, 1, 1, 0, "n", style)
            code = str(cell.number_format).strip('"')
            self._digits[style] = len(code) if set(code) == {"0"} else 0
        return self._digits[style]


def _map_cell(cell: dict[str, Any], row: int, formats: _Formats) -> str:
    value = cell["value"]
    where = f"cell {get_column_letter(cell['column'])}{row}"
    if cell["data_type"] == "e":
        return BrokenCell(str(value), f"{where} holds the error {value}")
    # Booleans are numbers to Python, and a datetime is a date.
    match value:
        case None:
            shown = _map_nothing(where, is_formula=cell["is_formula"])
        case bool():
            shown = "TRUE" if value else "FALSE"
        case int() | float():
            shown = _map_number(value, where, formats.digits(cell["style_id"]))
        case datetime():
            is_day = value.time() == datetime.min.time()
            shown = str(value.date() if is_day else value)
        case str() | date():
            shown = str(value)
        case _:
            detail = f"{where} is a time of day without a day"
            shown = BrokenCell(str(value), detail)
    return shown


def _map_nothing(where: str, *, is_formula: bool) -> str:
    if not is_formula:
        return ""
    detail = f"{where} is a formula without a stored value: save it in a spreadsheet"
    return BrokenCell("", detail)


def _map_number(value: float, where: str, digits: int) -> str:
    if abs(value) >= EXACT_MAX:
        return BrokenCell(
            str(value),
            f"{where} is a number of over 15 digits, of which spreadsheets lose the "
            "last: write it as text",
        )
    if value != int(value):
        return repr(value)
    whole = str(int(value))
    # A code that is shown with its zeros is meant with them.
    return whole.zfill(digits) if digits > 1 else Digits(whole)
