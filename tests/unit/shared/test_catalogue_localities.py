"""What `localities.csv` may hold, and the line with which the rest is refused."""

from datetime import date
from pathlib import Path

import pytest

from shared.catalogue.files import Problems
from shared.catalogue.localities import read_tree
from shared.catalogue.model import LocalityKey

ROWS = """\
code,valid_from,valid_to,kind,name,parent
VN,1976-07-02,,nation,Việt Nam,
38,2000-01-01,2025-07-01,province,Tỉnh Thanh Hóa,VN
38,2025-07-01,,province,Tỉnh Thanh Hóa,VN
15961,2000-01-01,2025-07-01,commune,Xã Hoằng Lộc,38
15961,2025-07-01,,commune,Xã Hoằng Lộc,38
"""

REFUSALS = [
    (
        ("code,", "codes,"),
        (
            "line 1: the columns are not the expected ones; "
            "write code,valid_from,valid_to,kind,name,parent"
        ),
    ),
    (("Việt Nam,", "Việt Nam"), "line 2: 5 cells instead of 6; add or remove commas"),
    (
        ("38,2025-07-01", "8,2025-07-01"),
        "line 4: code '8' of a province is not 2 digits; keep leading zeros",
    ),
    (
        ("15961,2025-07-01", "1596,2025-07-01"),
        "line 6: code '1596' of a commune is not 5 digits; keep leading zeros",
    ),
    (
        ("VN,1976", "84,1976"),
        "line 2: code '84' of a nation is not two capital letters; write one like VN",
    ),
    (
        (",nation,", ",unallocated,"),
        "line 2: kind 'unallocated' is unknown; write nation, province, commune",
    ),
    (
        ("Việt Nam,", "Việt Nam,VN"),
        "line 2: parent 'VN' of a nation; only the nation has none",
    ),
    (
        ("38,2025-07-01,,province,Tỉnh Thanh Hóa,VN", "38,2025-07-01,,province,A,"),
        "line 4: parent '' of a province; only the nation has none",
    ),
    (
        ("1976-07-02", "19760702"),
        "line 2: valid_from '19760702' is no date; write one like 2025-07-01",
    ),
    (
        ("2025-07-01,province", "2025-02-30,province"),
        (
            "line 3: valid_to '2025-02-30' is no date; "
            "write one like 2025-07-01, or nothing"
        ),
    ),
    (
        ("2025-07-01,province", "2000-01-01,province"),
        "line 3: valid_to 2000-01-01 is not after valid_from; correct one of them",
    ),
    (("Việt Nam", " "), "line 2: name is empty; add it"),
    (
        ("15961,2025-07-01,", "15961,2000-01-01,2025-07-01"),
        "line 6: code 15961 from 2000-01-01 is already in line 5; keep one",
    ),
    (
        ("2025-07-01,commune", "2025-06-30,commune"),
        None,
    ),
    (
        ("15961,2025-07-01,", "15961,2025-06-30,2025-07-01"),
        (
            "line 6: code 15961 is still borne by line 5 on 2025-06-30; "
            "give line 5 a valid_to of 2025-06-30 or earlier"
        ),
    ),
    (
        ("15961,2000-01-01,2025-07-01", "15962,2000-01-01,2025-07-02"),
        (
            "line 5: 15962 outlasts its parent, which ends on 2025-07-01; "
            "end it there and write its successor"
        ),
    ),
    (
        ("15961,2000-01-01", "15961,1999-12-31"),
        (
            "line 5: parent 38 does not exist on 1999-12-31; "
            "correct the parent or valid_from"
        ),
    ),
    (
        ("Lộc,38", "Lộc,39"),
        (
            "line 5: parent '39' of 15961 is no province; "
            "add a province with this code or correct it"
        ),
    ),
    (
        ("Lộc,38", "Lộc,VN"),
        (
            "line 5: parent 'VN' of 15961 is no province; "
            "add a province with this code or correct it"
        ),
    ),
    (
        ("38,2000", "LA,1976-07-02,,nation,Lào,\n38,2000"),
        "kind: 2 nations: LA, VN; keep exactly one",
    ),
]


def read(directory: Path, text: str) -> tuple[str, ...]:
    """Write and read a file and return its problems."""
    (directory / "localities.csv").write_text(text, encoding="utf-8")
    problems = Problems()
    tree = read_tree(directory, problems)
    assert (tree is None) == bool(problems.lines)
    return problems.lines


@pytest.mark.parametrize(("edit", "line"), REFUSALS)
def test_faulty_row_is_refused_with_its_line(
    tmp_path: Path, edit: tuple[str, str], line: str | None
) -> None:
    """Each fault has one line; a gap between two lives of a code is none."""
    assert edit[0] in ROWS
    expected = () if line is None else (f"localities.csv: {line}",)
    assert read(tmp_path, ROWS.replace(*edit, 1)) == expected


def test_file_without_rows_has_no_nation(tmp_path: Path) -> None:
    """A tree without a top is none."""
    assert read(tmp_path, ROWS.partition("\n")[0] + "\n") == (
        "localities.csv: kind: 0 nations: none; keep exactly one",
    )


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """Spreadsheets like to write other encodings."""
    (tmp_path / "localities.csv").write_bytes(ROWS.encode("utf-16"))
    problems = Problems()
    assert read_tree(tmp_path, problems) is None
    (line,) = problems.lines
    assert line.startswith("localities.csv: file: ")
    assert line.endswith("; make it a readable UTF-8 CSV file")


def test_parent_is_the_unit_that_bears_the_code_when_the_child_begins(
    tmp_path: Path,
) -> None:
    """The file names a code; which life of it is meant follows."""
    (tmp_path / "localities.csv").write_text(ROWS, encoding="utf-8-sig")
    tree = read_tree(tmp_path, Problems())
    assert tree is not None
    old = tree.leaf_for("15961", date(2025, 6, 30))
    new = tree.leaf_for("15961", date(2025, 7, 1))
    assert old is not None
    assert new is not None
    assert tree.ancestors(old)[1] == LocalityKey("38", date(2000, 1, 1))
    assert tree.ancestors(new)[1] == LocalityKey("38", date(2025, 7, 1))
