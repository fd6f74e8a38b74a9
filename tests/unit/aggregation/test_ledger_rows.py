"""How a record becomes a row of the ledger."""

from datetime import timedelta

from services.aggregation.core.ledger import LedgerRow, map_entry_to_row
from services.aggregation.core.record import LogRecord
from tests.support.log_records import (
    LOGGED_AT,
    NINE,
    REFORM,
    TODAY,
    Sent,
    closed,
    control,
    counted,
    refunded,
    reversal,
    stated,
)

YESTERDAY = TODAY - timedelta(days=1)


def row_of(sent: Sent, voided_by: int | None = None) -> LedgerRow:
    """Map an event at offset 7 of partition 2."""
    return map_entry_to_row(LogRecord(2, 7, LOGGED_AT, sent), sent, voided_by)


def test_event_keeps_its_coordinates_and_its_leaf() -> None:
    """Everything that a rebuild, a receipt or a view needs."""
    assert row_of(counted("a", 3, 40)) == LedgerRow(
        source="/bank",
        id="a",
        kind=b"c",
        type="opened",
        partition=2,
        log_offset=7,
        logged_at=LOGGED_AT,
        occurred_at=NINE,
        agency="bank",
        indicator="accounts",
        locality="15961",
        valid_from=REFORM,
        day=TODAY,
        net_count=3,
        net_amount=40,
        reversed_source=None,
        reversed_id=None,
        reversed_occurred_at=None,
        voided_by=None,
    )


def test_figures_of_an_event_bear_its_sign() -> None:
    """So that a total is a plain sum of rows."""
    row = row_of(closed("a", 3))
    assert (row.net_count, row.net_amount) == (-3, 0)
    row = row_of(refunded("a", 40))
    assert (row.net_count, row.net_amount) == (0, -40)


def test_statement_and_control_stand_on_the_day_they_speak_of() -> None:
    """Not on the day on which they were made."""
    for sent, kind in (
        (stated("a", 500, YESTERDAY), b"s"),
        (control("a", 500, YESTERDAY), b"k"),
    ):
        row = row_of(sent)
        assert (row.kind, row.day, row.net_count) == (kind, YESTERDAY, 500)
    assert row_of(control("a", 0)).locality is None


def test_reversal_names_its_original_and_has_no_figures() -> None:
    """Its own day is the day on which it was sent."""
    row = row_of(reversal("r", counted("a"), time=NINE + timedelta(hours=1)))
    assert (row.kind, row.day) == (b"r", TODAY)
    assert (row.reversed_source, row.reversed_id) == ("/bank", "a")
    assert row.reversed_occurred_at == NINE
    assert row.net_count is None
    assert row.net_amount is None
    assert row.indicator is None


def test_voided_row_has_the_content_and_key_of_the_event() -> None:
    """Repeats of a voided event must be seen as such."""
    row = row_of(counted("a"), voided_by=3)
    assert row.voided_by == 3
    assert row.key == ("/bank", "a")
    assert row.content == row_of(counted("a")).content


def test_place_in_the_log_is_no_part_of_the_content() -> None:
    """A repeat always stands elsewhere."""
    sent = counted("a")
    later = LogRecord(2, 8, LOGGED_AT + timedelta(days=1), sent)
    assert map_entry_to_row(later, sent, None).content == row_of(sent).content
