"""Ids made of content and ordinal: stable, different for equal rows."""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.send_files import FileProblemError
from services.cli.send_ids import OrdinalCounter, make_id
from services.cli.send_parts import detect_parts
from services.cli.send_plan import (
    EventReader,
    Plan,
    ReadyRow,
    RefusedRow,
    plan_file,
)
from services.cli.send_rows import RowDefaults

DEFAULTS = RowDefaults("/vn/38/voso", None, "eid_accounts", ZoneInfo("UTC"))
HEADER = "locality,time,count\n"


def plan(folder: Path, text: str, chosen: dict[str, str] | None = None) -> Plan:
    """Write a file and plan it."""
    path = folder / "rows.csv"
    path.write_text(text, encoding="utf-8")
    return plan_file(path, detect_parts(path), chosen or {}, DEFAULTS)


def ids(made: Plan, counter: OrdinalCounter | None = None) -> list[str]:
    """Read the ids of a file whose rows are all fine."""
    with OrdinalCounter() as own:
        rows = list(EventReader(made, counter or own).read())
    ready = [row for row in rows if isinstance(row, ReadyRow)]
    assert len(ready) == len(rows), rows
    return [row.id for row in ready]


@given(st.lists(st.integers(0, 3), max_size=30))
def test_ordinals_count_equal_contents_from_one(numbers: list[int]) -> None:
    """The n-th of equal contents has ordinal n, whatever lies between."""
    seen: dict[int, int] = {}
    with OrdinalCounter() as counter:
        counter.begin_file()
        for number in numbers:
            seen[number] = seen.get(number, 0) + 1
            assert counter.count((number,)) == (seen[number], False)


def test_rows_of_an_earlier_file_are_noticed() -> None:
    """A file may have as many equal rows as one before it, and then more."""
    with OrdinalCounter() as counter:
        counter.begin_file()
        assert [counter.count("a") for _ in range(2)] == [(1, False), (2, False)]
        counter.begin_file()
        assert [counter.count("a") for _ in range(3)] == [
            (1, True),
            (2, True),
            (3, False),
        ]
        counter.begin_file()
        assert counter.count("a") == (1, True)


def test_id_never_changes_between_versions() -> None:
    """Another id would make a file that is sent again count twice."""
    content = ("/vn/38/voso", "uptake.indicator.counted", "Thanh Hóa", None, 1)
    assert make_id(content, 1) == "row1-dc3cbe24fb5593d86fec5af8df5375f7d087e3ec"
    assert make_id(content, 2) != make_id(content, 1)


def test_equal_rows_get_ids_of_their_own_and_the_same_again(tmp_path: Path) -> None:
    """Read twice, a file gives the same ids; equal rows differ."""
    made = plan(tmp_path, HEADER + "15958,2026-11-03,1\n" * 3)
    first = ids(made)
    assert len(set(first)) == 3
    assert ids(made) == first


def test_order_of_rows_and_columns_that_are_not_sent_do_not_matter(
    tmp_path: Path,
) -> None:
    """A file that was sorted or annotated holds the same events."""
    made = ids(plan(tmp_path, HEADER + "1,2026-11-03,1\n2,2026-11-03,1\n"))
    turned = "note,time,locality\nx,2026-11-03,2\ny,2026-11-03,1\n"
    assert set(ids(plan(tmp_path, turned))) == set(made)


def test_column_of_ids_is_taken_and_must_not_be_empty(tmp_path: Path) -> None:
    """A row without its id would get another one once the id is known."""
    text = "locality,time,Số HĐ\n1,2026-11-03,A-1\n1,2026-11-03,\n"
    made = plan(tmp_path, text, {"Số HĐ": "id"})
    with OrdinalCounter() as counter:
        first, second = EventReader(made, counter).read()
    assert isinstance(first, ReadyRow)
    assert first.id == json.loads(first.body)["id"] == "A-1"
    assert isinstance(second, RefusedRow)
    assert (second.number, second.code) == (3, "bad_id")


def test_lines_of_ndjson_may_differ_in_their_keys(tmp_path: Path) -> None:
    """Each line is read by its own keys; one that contradicts itself is refused."""
    path = tmp_path / "rows.ndjson"
    path.write_text(
        '{"locality": "1", "time": "2026-11-03"}\n'
        '{"Mã xã": "1", "Ngày": "2026-11-03", "count": 1}\n'
        '{"time": "2026-11-03", "Ngày": "2026-11-03"}\n',
        encoding="utf-8",
    )
    made = plan_file(path, detect_parts(path), {}, DEFAULTS)
    with OrdinalCounter() as counter:
        first, second, third = EventReader(made, counter).read()
    assert isinstance(first, ReadyRow)
    assert isinstance(second, ReadyRow)
    assert json.loads(first.body)["data"]["locality"] == "1"
    assert first.id != second.id
    assert isinstance(third, RefusedRow)
    assert third.code == "bad_data"


@pytest.mark.parametrize(
    ("header", "defaults", "message"),
    [
        ("a,b,c", DEFAULTS, "row 1 is not a header"),
        ("15958,2026-11-03,1", DEFAULTS, "row 1 is not a header"),
        ("locality,count", DEFAULTS, "no column for time"),
        ("time,count", DEFAULTS, "no column for locality"),
        ("locality,time", RowDefaults(None, None, "x", ZoneInfo("UTC")), "--as SOURCE"),
        ("locality,time", RowDefaults("/a", None, None, ZoneInfo("UTC")), "what is"),
    ],
)
def test_file_that_does_not_say_enough_is_a_problem(
    tmp_path: Path, header: str, defaults: RowDefaults, message: str
) -> None:
    """Nothing is sent of it; the line says what to give."""
    path = tmp_path / "rows.csv"
    path.write_text(f"{header}\nx,y,z\n", encoding="utf-8")
    with pytest.raises(FileProblemError, match=message):
        plan_file(path, detect_parts(path), {}, defaults)


def test_controls_need_no_column_for_a_locality(tmp_path: Path) -> None:
    """They concern an agency's day and no place."""
    path = tmp_path / "rows.csv"
    path.write_text("time,day,count\n2026-11-03,2026-11-02,5\n", encoding="utf-8")
    controls = RowDefaults(
        "/a", "uptake.control.stated", "eid_accounts", ZoneInfo("UTC")
    )
    made = plan_file(path, detect_parts(path), {}, controls)
    with OrdinalCounter() as counter:
        (row,) = EventReader(made, counter).read()
    assert isinstance(row, ReadyRow)
    assert json.loads(row.body)["data"] == {
        "indicator": "eid_accounts",
        "day": "2026-11-02",
        "count": 5,
    }
