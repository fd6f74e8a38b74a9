"""What became of a row is read from its receipt, and said within 80 columns."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from services.cli.send_parts import detect_parts
from services.cli.send_plan import Plan, ReadyRow, plan_file
from services.cli.send_report import summarize_told
from services.cli.send_rows import RowDefaults
from services.cli.send_told import Became, Told, judge_receipt, reject_row
from shared.events.receipts_v1 import EventReceiptV1, ReceiptState, RejectionV1

BEGAN = datetime(2026, 11, 21, 5, tzinfo=UTC)
BEFORE, AFTER = BEGAN - timedelta(seconds=1), BEGAN + timedelta(seconds=1)
DEFAULTS = RowDefaults("/a", None, "eid_accounts", ZoneInfo("Asia/Ho_Chi_Minh"))
ROW = ReadyRow(17, "A", b"{}", "/a", "2026-11-21T12:00:00+07:00", texts=("A", "x"))


def receipt(
    state: ReceiptState = ReceiptState.COUNTED,
    logged_at: datetime | None = AFTER,
    conflict_at: datetime | None = None,
) -> EventReceiptV1:
    """Make the receipt of an event."""
    absent = dict.fromkeys(EventReceiptV1.model_fields)
    rejected = state is ReceiptState.REJECTED
    return EventReceiptV1.model_validate(
        {
            **absent,
            "source": "/a",
            "id": "A",
            "state": state,
            "logged_at": logged_at,
            "code": "reversal_mismatch" if rejected else None,
            "detail": "another time" if rejected else None,
            "conflict": conflict_at
            and RejectionV1(
                partition=0,
                offset=9,
                logged_at=conflict_at,
                code="conflicting_duplicate",
                detail="other content",
            ),
        }
    )


@pytest.mark.parametrize(
    ("told", "is_repeat", "became"),
    [
        (receipt(), False, Became.COUNTED),
        (receipt(), True, Became.REPEATED),
        (receipt(logged_at=BEFORE), False, Became.BEFORE),
        (receipt(logged_at=BEFORE), True, Became.REPEATED),
        # An older copy was rejected; this one equals what is counted.
        (receipt(logged_at=BEFORE, conflict_at=BEFORE), False, Became.BEFORE),
        (receipt(logged_at=BEFORE, conflict_at=AFTER), False, Became.REJECTED),
        # Two rows of the file bear the id: the first counts, the other does not.
        (receipt(conflict_at=AFTER), False, Became.COUNTED),
        (receipt(conflict_at=AFTER), True, Became.REJECTED),
        (receipt(ReceiptState.REVERSED), False, Became.REVERSED),
        (receipt(ReceiptState.REVERSED, BEFORE), False, Became.BEFORE),
        (receipt(ReceiptState.VOIDED), False, Became.VOIDED),
        (receipt(ReceiptState.REJECTED), False, Became.REJECTED),
        (receipt(ReceiptState.FORGOTTEN, None), False, Became.FORGOTTEN),
        (receipt(ReceiptState.NOT_SEEN, None), False, Became.ON_THE_WAY),
        (receipt(ReceiptState.NOT_SEEN, None), True, Became.ON_THE_WAY),
    ],
)
def test_receipt_says_what_became_of_a_row(
    told: EventReceiptV1, *, is_repeat: bool, became: Became
) -> None:
    """What was logged before the sending began was not brought by it."""
    assert judge_receipt(told, BEGAN, is_repeat=is_repeat) is became


def test_without_a_beginning_nothing_is_said_to_have_been_before() -> None:
    """The board was away when the sending began: counted is all that is known."""
    assert judge_receipt(receipt(logged_at=BEFORE), None, is_repeat=False) is (
        Became.COUNTED
    )


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Plan a file."""
    monkeypatch.chdir(tmp_path)
    path = Path("sales.csv")
    path.write_text("locality,time\n15961,2026-11-03\n", encoding="utf-8")
    return plan_file(path, detect_parts(path), {}, DEFAULTS)


def test_what_the_board_told_is_said_within_the_terminal(plan: Plan) -> None:
    """Every state, rejected rows by their numbers, and what nobody asked about."""
    told = Told(sent=2_600, complete_up_to=BEGAN)
    conflict = reject_row(ROW, receipt(logged_at=BEFORE, conflict_at=AFTER))
    mismatch = reject_row(ROW, receipt(ReceiptState.REJECTED))
    told.add([Became.COUNTED] * 2_500, [])
    told.add([*Became, Became.REJECTED], [conflict, mismatch])
    lines = summarize_told(plan, told, [Path("sales.rejected.csv")])
    assert lines[:2] == [
        "sales.csv: of 2,600 accepted rows, by the board:",
        "  2,501 counted",
    ]
    assert "      2 rejected: in no total -> sales.rejected.csv" in lines
    assert "    row 17      conflicting_duplicate other content" in lines
    assert "    row 17      reversal_mismatch    another time" in lines
    assert lines[-2:] == [
        "     91 not asked about",
        "  complete up to 2026-11-21 12:00; --wait SECONDS waits longer",
    ]
    assert len(lines) == 1 + len(Became) + 2 + 2
    assert max(map(cell_len, lines)) <= 80


def test_file_that_was_all_counted_before_is_said_to_change_nothing(plan: Plan) -> None:
    """So that nobody fears to have counted twice."""
    told = Told(sent=2)
    told.add([Became.BEFORE] * 2, [])
    assert summarize_told(plan, told, []) == [
        "sales.csv: of 2 accepted rows, by the board:",
        "  2 counted before, all of them: this sending changed nothing",
    ]
