"""What `uptake event` says of receipts."""

from datetime import UTC, date, datetime

from services.cli.board_client import _earliest
from services.cli.event import MEANINGS, describe
from shared.events.receipts_v1 import (
    EventReceiptV1,
    ReceiptState,
    ReceiptsV1,
    RejectionV1,
)

NINE = datetime(2026, 11, 21, 2, tzinfo=UTC)
NOTHING = EventReceiptV1(
    source="/vn/38/bank",
    id="order-1",
    state=ReceiptState.NOT_SEEN,
    **dict.fromkeys(
        (
            *("partition", "offset", "logged_at", "type", "indicator", "locality"),
            *("valid_from", "day", "count", "amount", "voided_by", "code", "detail"),
            "conflict",
        )
    ),
)
COUNTED = NOTHING.model_copy(
    update={
        "state": ReceiptState.COUNTED,
        "partition": 3,
        "offset": 1249,
        "logged_at": NINE,
        "type": "uptake.ecommerce.completed",
        "indicator": "ecommerce_transactions",
        "locality": "15961",
        "valid_from": date(2025, 7, 1),
        "day": date(2026, 11, 21),
        "count": 1_234,
        "amount": 412_750,
    }
)


def told(*receipts: EventReceiptV1, **head: datetime | None) -> ReceiptsV1:
    """Make an answer of the board."""
    return ReceiptsV1(
        complete_up_to=head.get("complete_up_to", NINE),
        kept_since=head.get("kept_since"),
        states={receipt.state: 1 for receipt in receipts},
        receipts=list(receipts),
    )


def test_every_state_has_its_meaning() -> None:
    """One that a later version adds must not be left without words."""
    assert set(MEANINGS) == set(ReceiptState)


def test_a_counted_event_is_told_with_place_and_total() -> None:
    """In local time, figures readable, within 80 columns."""
    lines = describe(told(COUNTED))
    text = "\n".join(lines)
    for said in ("3/1249", "2026-11-21 09:00", "1,234", "412,750 VND", "15961"):
        assert said in text
    assert max(map(len, text.splitlines())) <= 80
    assert "not_seen" not in text


def test_not_seen_says_how_far_that_reaches() -> None:
    """What came before is not there, what came later may come, what is old is gone."""
    text = "\n".join(describe(told(NOTHING, kept_since=NINE)))
    assert "complete up to 2026-11-21 09:00" in text
    assert "ask again" in text
    assert "may have been" in text
    assert max(map(len, text.splitlines())) <= 80
    text = "\n".join(describe(told(NOTHING, complete_up_to=None)))
    assert "not known yet" in text


def test_a_text_of_an_agency_cannot_steer_the_terminal() -> None:
    """Ids and details are shown without control characters."""
    conflict = RejectionV1(
        partition=3, offset=9, logged_at=NINE, code="x", detail="\x1b[2Jdetail"
    )
    wild = COUNTED.model_copy(update={"id": "\x1b[31mid", "conflict": conflict})
    assert "\x1b" not in "\n".join(describe(told(wild)))


def test_parts_are_as_complete_as_the_least_of_them() -> None:
    """And not at all while one does not know."""
    later = NINE.replace(hour=3)
    assert _earliest([later, NINE]) == NINE
    assert _earliest([later, None]) is None
