"""Sheets of workbooks are read as the texts that CSV would hold, or a cell says why."""

import datetime as dt
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook

from services.cli import send_sheets
from services.cli.send_columns import Attribute
from services.cli.send_files import FileProblemError, RawRow, Refusal
from services.cli.send_parts import detect_parts, read_rows
from services.cli.send_rows import Draft, RowDefaults, map_row_to_draft
from services.cli.send_sheets import BrokenCell, Digits

HEADER = ("Mã xã", "Ngày", "Số lượng")
DEFAULTS = RowDefaults(
    "/a", None, "eid_accounts", ZoneInfo("Asia/Ho_Chi_Minh"), None, None
)


def save(folder: Path, *rows: tuple[object, ...], name: str = "rows.xlsx") -> Path:
    """Write a workbook of one sheet."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    path = folder / name
    workbook.save(path)
    return path


def rows_of(path: Path, *sheets: str) -> list[RawRow]:
    """Read all sheets to their ends."""
    parts = detect_parts(path, sheets)
    return [row for layout in parts.layouts for row in read_rows(layout)]


def cell_of(folder: Path, value: object) -> object:
    """Write one cell and read it."""
    path = save(folder, ("x", "y"), (value, "end"))
    (row,) = rows_of(path)
    assert not isinstance(row.cells, Refusal)
    return row.cells["x"]


def test_days_times_numbers_and_texts_are_what_csv_would_hold(tmp_path: Path) -> None:
    """A date alone stays one; a number gives its digits; text keeps its zeros."""
    path = save(
        tmp_path,
        HEADER,
        (15961, dt.date(2026, 11, 3), 1250),
        ("01234", dt.datetime(2026, 11, 3, 9, 30), 1250.0),  # noqa: DTZ001 -- a sheet knows no zone
        ("15961", "2026-11-03", "1250"),
    )
    assert [(row.number, row.texts) for row in rows_of(path)] == [
        (2, ("15961", "2026-11-03", "1250")),
        (3, ("01234", "2026-11-03 09:30:00", "1250")),
        (4, ("15961", "2026-11-03", "1250")),
    ]


def test_number_that_shows_its_zeros_keeps_them_and_another_is_marked(
    tmp_path: Path,
) -> None:
    """00038 in the format 00000 is a ward; 38 may be that ward or a province."""
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(("x", "y"))
    sheet.append((38, "shown with zeros"))
    sheet["A2"].number_format = "00000"
    sheet.append((38, "bare"))
    workbook.save(tmp_path / "codes.xlsx")
    shown, bare = rows_of(tmp_path / "codes.xlsx")
    assert not isinstance(shown.cells, Refusal)
    assert not isinstance(bare.cells, Refusal)
    assert shown.cells["x"] == "00038"
    assert not isinstance(shown.cells["x"], Digits)
    assert isinstance(bare.cells["x"], Digits)


@pytest.mark.parametrize(
    ("value", "code"),
    [(38, "bad_locality"), (1234, "bad_locality"), (15961, None), ("38", None)],
)
def test_locality_that_may_have_lost_zeros_is_refused(
    tmp_path: Path, value: object, code: str | None
) -> None:
    """A number of five digits has lost none, and a text none either."""
    cells = {
        Attribute.LOCALITY: cell_of(tmp_path, value),
        Attribute.TIME: "2026-11-03",
    }
    made = map_row_to_draft(cells, DEFAULTS)
    assert (made.code if isinstance(made, Refusal) else None) == code


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("=1+1", "cell A2 is a formula without a stored value"),
        ("#N/A", "cell A2 holds the error #N/A"),
        (dt.time(9, 30), "cell A2 is a time of day"),
        (1234567890123456789, "over 15 digits"),
    ],
)
def test_cell_that_holds_no_value_says_where_and_why(
    tmp_path: Path, value: object, detail: str
) -> None:
    """It refuses its row, but only where the column is sent."""
    cell = cell_of(tmp_path, value)
    assert isinstance(cell, BrokenCell)
    assert detail in cell.detail
    fine = {Attribute.LOCALITY: "15961", Attribute.TIME: "2026-11-03"}
    assert isinstance(map_row_to_draft(fine, DEFAULTS), Draft)
    made = map_row_to_draft({**fine, Attribute.COUNT: cell}, DEFAULTS)
    assert isinstance(made, Refusal)
    assert detail in made.detail


@pytest.mark.parametrize("value", [1250.5, True, 46000])
def test_number_with_a_fraction_a_truth_and_a_bare_serial_are_refused(
    tmp_path: Path, value: object
) -> None:
    """No count is rounded, and a number is no day."""
    cell = cell_of(tmp_path, value)
    attribute = Attribute.TIME if value == 46000 else Attribute.COUNT
    fine = {Attribute.LOCALITY: "15961", Attribute.TIME: "2026-11-03"}
    made = map_row_to_draft({**fine, attribute: cell}, DEFAULTS)
    assert isinstance(made, Refusal)


def test_stored_value_of_a_formula_is_read(tmp_path: Path) -> None:
    """As a spreadsheet saves it: the formula and what it came to."""
    path = save(tmp_path, ("x", "y"), ("=1+1", "end"))
    members = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            members[name] = archive.read(name)
    name = "xl/worksheets/sheet1.xml"
    members[name] = members[name].replace(b"<v />", b"<v>2</v>")
    members[name] = members[name].replace(b"<v></v>", b"<v>2</v>")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    (row,) = rows_of(path)
    assert row.texts == ("2", "end")


def test_rows_beyond_the_size_that_a_sheet_claims_are_read(tmp_path: Path) -> None:
    """Programs write wrong sizes; openpyxl's own way would leave rows out unsaid."""
    path = save(tmp_path, HEADER, *[("15961", "2026-11-03", 1)] * 5)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    assert b'ref="A1:C6"' in members[name]
    members[name] = members[name].replace(b'ref="A1:C6"', b'ref="A1:C2"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert len(rows_of(path)) == 5


def test_sheets_are_read_in_order_and_hidden_ones_are_named(tmp_path: Path) -> None:
    """Nothing is left out unsaid; blank sheets and blank rows hold nothing."""
    workbook = Workbook()
    first = workbook.active
    assert first is not None
    first.title = "Tháng 10"
    first.append(HEADER)
    first.append(())
    first.append(("15961", "2026-10-03", 1))
    workbook.create_sheet("empty")
    second = workbook.create_sheet("Tháng 11")
    second.append(HEADER)
    second.append(("15961", "2026-11-03", 1))
    hidden = workbook.create_sheet("lookup")
    hidden.append(("a", "b"))
    hidden.sheet_state = "hidden"
    path = tmp_path / "year.xlsx"
    workbook.save(path)
    parts = detect_parts(path)
    assert [layout.sheet for layout in parts.layouts] == ["Tháng 10", "Tháng 11"]
    assert parts.hidden == ("lookup",)
    assert [row.number for row in rows_of(path)] == [3, 2]
    assert [row.number for row in rows_of(path, "Tháng 11")] == [2]
    with pytest.raises(FileProblemError, match='no sheet "x"; it has "Tháng 10"'):
        detect_parts(path, ("x",))
    with pytest.raises(FileProblemError, match='"empty" has no header row'):
        detect_parts(path, ("empty",))


def test_header_may_stand_below_a_title(tmp_path: Path) -> None:
    """`--header` says where; rows above it are no data."""
    row = ("15961", "2026-11-03", 1)
    path = save(tmp_path, ("Báo cáo tháng 11",), (), HEADER, row)
    (layout,) = detect_parts(path, header_row=3).layouts
    assert layout.header == HEADER
    assert [one.number for one in read_rows(layout)] == [4]


def test_cell_under_no_column_name_refuses_its_row(tmp_path: Path) -> None:
    """Something slipped to the right; short rows are filled up."""
    path = save(tmp_path, HEADER, ("15961", "2026-11-03", 1, "slipped"), ("15961",))
    slipped, short = rows_of(path)
    assert isinstance(slipped.cells, Refusal)
    assert "cell D2" in slipped.cells.detail
    assert short.texts == ("15961", "", "")


@pytest.mark.parametrize(
    "content",
    [
        b"PK\x03\x04....",
        b"PK\x03\x04" + b"\0" * 100,
    ],
)
def test_damaged_workbook_is_a_problem_in_one_line(
    tmp_path: Path, content: bytes
) -> None:
    """No traceback of a library reaches a clerk."""
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    with pytest.raises(FileProblemError, match="no XLSX workbook, or a damaged one"):
        detect_parts(path)


def damage(path: Path, name: str, content: bytes) -> Path:
    """Replace one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        members = {one: archive.read(one) for one in archive.namelist()}
    members[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, text in members.items():
            archive.writestr(one, text)
    return path


def test_entities_that_grow_without_end_are_refused(tmp_path: Path) -> None:
    """A billion laughs stay a kilobyte."""
    lines = [b'<!ENTITY a0 "ha">']
    for number in range(1, 30):
        refs = f"&a{number - 1};".encode() * 10
        lines.append(f"<!ENTITY a{number} ".encode() + b'"' + refs + b'">')
    bomb = (
        b"<!DOCTYPE worksheet [" + b"".join(lines) + b"]><worksheet>&a29;</worksheet>"
    )
    path = damage(save(tmp_path, HEADER), "xl/worksheets/sheet1.xml", bomb)
    with pytest.raises(FileProblemError, match="damaged"):
        detect_parts(path)


def test_workbook_whose_texts_do_not_fit_in_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the size that it unpacks to, before it is unpacked."""
    path = damage(save(tmp_path, HEADER), "xl/sharedStrings.xml", b"x" * 5_001)
    monkeypatch.setattr(send_sheets, "TEXTS_BYTES_MAX", 5_000)
    with pytest.raises(FileProblemError, match="save the sheet as CSV"):
        detect_parts(path)


def test_other_zip_files_are_no_workbooks(tmp_path: Path) -> None:
    """Neither is a text file with --sheet."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(FileProblemError, match="no XLSX workbook"):
        detect_parts(path)
    text = tmp_path / "x.csv"
    text.write_text("locality,time\n", encoding="utf-8")
    with pytest.raises(FileProblemError, match="--sheet is for workbooks"):
        detect_parts(text, ("Data",))
