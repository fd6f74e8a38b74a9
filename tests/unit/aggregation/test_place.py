"""Where a partition is read from, and which logs are refused."""

import pytest

from services.aggregation.core.place import Place
from shared.errors import FatalError

HASH = b"\x01" * 32
OTHER = b"\x02" * 32


def test_reading_begins_at_the_last_applied_record() -> None:
    """That record proves that the log is the one that was applied."""
    place = Place(3, 10, HASH)
    assert place.start_offset == 9
    assert place.must_prove


def test_empty_partition_begins_at_its_beginning_and_has_nothing_to_prove() -> None:
    """Before the first record there is none to compare."""
    place = Place(3, 0, None)
    assert place.start_offset == 0
    assert not place.must_prove
    place.check_gap(0)


def test_log_that_shows_the_last_record_is_proved_once() -> None:
    """Afterwards only gaps are looked for."""
    proved = Place(3, 10, HASH).prove(9, HASH)
    assert not proved.must_prove
    assert proved.next_offset == 10
    proved.check_gap(10)


def test_log_with_another_record_there_is_refused() -> None:
    """The topic was made anew, or the database is another's."""
    with pytest.raises(FatalError, match="recreated") as caught:
        Place(3, 10, HASH).prove(9, OTHER)
    assert "uptake.events partition 3" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_log_that_lacks_the_last_record_is_refused() -> None:
    """Its beginning was cut off: the first record given lies behind ours."""
    with pytest.raises(FatalError, match="truncated"):
        Place(3, 10, HASH).prove(12, HASH)


def test_log_that_ends_before_the_last_record_is_refused() -> None:
    """An empty log of the same name among them."""
    place = Place(3, 10, HASH)
    for log_end in (0, 9):
        with pytest.raises(FatalError, match=f"ends at offset {log_end}"):
            place.check_end(log_end)
    place.check_end(10)


def test_gap_in_the_log_is_refused() -> None:
    """Nothing is ever skipped; what was applied is not applied again."""
    place = Place(3, 10, HASH, is_proved=True)
    place.check_gap(10)
    for offset in (9, 11):
        with pytest.raises(FatalError, match=f"from offset 10 to {offset}"):
            place.check_gap(offset)


def test_place_moves_with_the_batch() -> None:
    """The next proof is the batch's last record."""
    moved = Place(3, 0, None).moved_to(25, OTHER)
    assert moved == Place(3, 25, OTHER, is_proved=True)
    assert not moved.must_prove
    assert moved.start_offset == 24
