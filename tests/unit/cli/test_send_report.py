"""What a clerk sees fits 80 columns, in Vietnamese too, and leaves nothing out."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from services.cli.send_http import Outcome
from services.cli.send_parts import Parts, detect_parts
from services.cli.send_plan import Plan, RefusedRow, plan_file
from services.cli.send_report import Tally, describe_plan, summarize
from services.cli.send_rows import RowDefaults
from services.cli.send_state import SentEvent
from services.cli.send_undo import Undoing, reversal_of, summarize_undo

DEFAULTS = RowDefaults("/a", None, "eid_accounts", ZoneInfo("Asia/Ho_Chi_Minh"))


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Plan a file with long names."""
    monkeypatch.chdir(tmp_path)
    path = Path("sales-november.csv")
    names = ["Mã xã", "Ngày", *(f"Ghi chú dài số {number}" for number in range(20))]
    path.write_text(",".join(names) + "\n" + "x" + "," * 21, encoding="utf-8")
    return plan_file(path, detect_parts(path), {}, DEFAULTS)


def widest(lines: list[str]) -> int:
    """Return the columns that the longest line takes."""
    return max(cell_len(line) for line in lines)


def test_plan_says_what_each_column_means(plan: Plan) -> None:
    """And which are not sent, within the terminal."""
    lines = describe_plan(plan)
    assert lines[:3] == [
        "sales-november.csv: 1 row, CSV with commas",
        '  column "Mã xã" -> locality',
        '  column "Ngày" -> time (date only: 12:00 Asia/Ho_Chi_Minh)',
    ]
    assert lines[3].startswith('  not sent: "Ghi chú dài số 0"')
    assert widest(lines) <= 80
    assert "going on with the rest" in describe_plan(plan, is_resumed=True)[-1]


def test_summary_shows_the_first_refusals_whole(plan: Plan) -> None:
    """A long detail goes on in the next line; what is not shown is counted."""
    detail = "'27691': no place bears this code on 2026-11-03; did you mean 27694?"
    rows = tuple(
        RefusedRow(number, "unknown_locality", detail) for number in range(118, 127)
    )
    tally = Tally()
    tally.add(Outcome(12_471, rows))
    lines = summarize(plan, tally, [Path("sales-november.refused.csv")])
    assert lines[:3] == [
        "  12,471 accepted, 9 refused -> sales-november.refused.csv",
        "    row 118     unknown_locality",
        f"      {detail}",
    ]
    assert lines[-2:] == [
        "    and 4 more in that file",
        "  to correct: edit that file, then send it as you sent this one",
    ]
    assert widest(lines) <= 80


def test_long_name_has_a_line_of_its_own(plan: Plan) -> None:
    """It can be copied, so it is not cut."""
    tally = Tally(accepted=1, refused=1)
    path = Path("a" * 100 + ".refused.csv")
    lines = summarize(plan, tally, [path], would="dry run")
    assert lines[:2] == [
        "  1 would be accepted, 1 would be refused",
        f" -> {path}",
    ]
    assert lines[-1] == "  nothing was sent (dry run)"


def test_what_went_before_is_told(plan: Plan) -> None:
    """Rows that an interrupted sending had sent, and rows that were corrected."""
    tally = Tally(accepted=8_000, before=4_000, corrected=3)
    assert summarize(plan, tally, []) == [
        "  8,000 accepted and 4,000 before that, 0 refused",
        "  3 rows left out, which were sent corrected",
    ]


def test_undo_tells_what_stays(tmp_path: Path) -> None:
    """Reversals cannot be reversed, and refused ones are listed."""
    path = tmp_path / "sales.csv"
    tally = Tally(accepted=5)
    lines = summarize_undo(path, Undoing(5, 2, 1), tally, None)
    assert lines == [
        f"{path}: 5 events undone, 2 before that",
        "  1 reversal kept: a reversal cannot be reversed",
    ]


def test_reversal_of_an_event_is_always_the_same() -> None:
    """So that undoing twice, even from two copies of the note, is a duplicate."""
    event = SentEvent("/vn/38/voso", "row1-x", "2026-11-03T05:00:00.000000Z")
    assert reversal_of(event) == (
        b'{"specversion":"1.0","id":"undo1-8c5d9478fa9e5ac49b7c7d372aeb16f9155b5052",'
        b'"source":"/vn/38/voso","type":"uptake.event.reversed",'
        b'"time":"2026-11-03T05:00:00.000000Z","data":{"id":"row1-x",'
        b'"source":"/vn/38/voso","time":"2026-11-03T05:00:00.000000Z"}}'
    )


def test_parts_of_a_text_file_are_one() -> None:
    """Only workbooks have more."""
    assert Parts(()).hidden == ()
