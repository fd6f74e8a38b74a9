"""Files are read row by row, and a problem is named with its place."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from services.cli.send_files import (
    LINE_BYTES_MAX,
    FileFormat,
    FileProblemError,
    RawRow,
    Refusal,
    detect_layout,
    parse_object,
    read_text_rows,
    sniff_delimiter,
)


def write(folder: Path, content: bytes, name: str = "rows.csv") -> Path:
    """Write a file of these bytes."""
    path = folder / name
    path.write_bytes(content)
    return path


def rows_of(path: Path) -> list[RawRow]:
    """Read a file to its end."""
    return list(read_text_rows(detect_layout(path)))


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("locality,time,count", ","),
        ("Mã xã;Ngày;Tiền, VND", ";"),
        ("a\tb\tc", "\t"),
        ('"a,b,c";d', ";"),
        ("locality", ","),
    ],
)
def test_delimiter_is_the_one_that_cuts_most(header: str, delimiter: str) -> None:
    """Delimiters inside quotes do not count."""
    assert sniff_delimiter(header) == delimiter


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_rows_are_numbered_as_in_a_spreadsheet(
    tmp_path: Path, mark: bytes, ending: bytes
) -> None:
    """The header is row 1, blank rows count, a quoted line break is one row."""
    lines = ["Mã xã,Ngày", '15958,"2026-11-03\nx"', "", "15961,y"]
    content = mark + ending.join(line.encode() for line in lines)
    assert [(row.number, row.cells) for row in rows_of(write(tmp_path, content))] == [
        (2, {"Mã xã": "15958", "Ngày": "2026-11-03\nx"}),
        (4, {"Mã xã": "15961", "Ngày": "y"}),
    ]


def test_row_of_another_length_is_refused_alone(tmp_path: Path) -> None:
    """A row cut short would else be counted with defaults."""
    first, second = rows_of(write(tmp_path, b"locality,time,count\n1,2\n1,2,3\n"))
    assert isinstance(first.cells, Refusal)
    assert first.cells.code == "bad_data"
    assert isinstance(second.cells, Mapping)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"locality\nTh\xe1\xba\n", "not UTF-8 at byte 11 .0xe1."),
        (b"\xef\xbb\xbfloc\xe0\n", "not UTF-8 at byte 6 .0xe0."),
        (b"locality\n12\x00\n", "NUL at byte 11"),
        ("locality".encode("utf-16"), "UTF-16"),
        (b"\xd0\xcf\x11\xe0....", "with a password"),
        (b"SQLite format 3\x00", "noted of a file"),
        (b"[{}]", "JSON array"),
        (b'locality\n"open\n', "row 2 .line 2. is not CSV"),
        (b"locality\n" + b"9" * (LINE_BYTES_MAX + 1), "longer than"),
    ],
)
def test_problem_of_a_file_is_one_line_with_its_place(
    tmp_path: Path, content: bytes, message: str
) -> None:
    """Wrong encodings, NUL and other formats are named, with the byte if known."""
    with pytest.raises(FileProblemError, match=message) as caught:
        rows_of(write(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_missing_file_and_folder_are_problems(tmp_path: Path) -> None:
    """Neither is a traceback."""
    with pytest.raises(FileProblemError, match="no such file"):
        detect_layout(tmp_path / "none.csv")
    with pytest.raises(FileProblemError, match="not a regular file"):
        detect_layout(tmp_path)


def test_ndjson_is_known_by_its_content(tmp_path: Path) -> None:
    """The name of the file does not matter."""
    path = write(tmp_path, b'\n{"locality": "1"}\n\n{"count": 2}\n')
    assert detect_layout(path).format is FileFormat.NDJSON
    assert [(row.number, row.cells) for row in rows_of(path)] == [
        (2, {"locality": "1"}),
        (4, {"count": 2}),
    ]


@pytest.mark.parametrize(
    "line",
    ["[1]", "1", "{", '{"a": 1, "a": 2}', '{"a": NaN}', "[" * 5_000, '{"a":' * 100],
)
def test_line_that_is_no_object_is_refused(line: str) -> None:
    """Keys given twice, NaN and deep nesting too, which Python would let pass."""
    assert isinstance(parse_object(line), Refusal)
