"""What reconcile makes of figures that agree, and of each that does not."""

from dataclasses import replace
from datetime import date

from services.cli.reconcile_findings import (
    Forgotten,
    LedgerCount,
    PartitionState,
    RepeatedEvent,
    check_classes,
    check_ledger,
    check_log,
    check_repeated,
    count_in_flight,
)

SOUND = PartitionState(
    partition=0,
    next_offset=10,
    applied=10,
    counted=6,
    duplicates=2,
    reversed=1,
    rejected=1,
    last_logged_at=None,
)


def test_sound_partition_is_equal_everywhere() -> None:
    """Every equation holds; what waits in the log is in flight."""
    ends = {0: 13, 1: 4}
    assert check_classes([SOUND]).is_equal
    assert check_log([SOUND], ends).is_equal
    assert check_ledger([SOUND], [LedgerCount(0, 6, 1)]).is_equal
    assert count_in_flight([SOUND], ends) == {0: 3, 1: 4}


def test_lost_record_is_named_with_both_figures() -> None:
    """One record without a class."""
    check = check_classes([replace(SOUND, duplicates=1)])
    assert [one.line() for one in check.differences] == [
        "partition 0: 10 kept, 9 found"
    ]


def test_log_that_ends_before_what_was_applied_differs() -> None:
    """Also a partition that the topic lacks."""
    assert check_log([SOUND], {0: 9}).differing == 1
    assert check_log([SOUND], {}).differing == 1


def test_ledger_without_progress_or_with_other_rows_differs() -> None:
    """Counted and reversed are compared each; unknown partitions are named."""
    assert check_ledger([SOUND], [LedgerCount(0, 7, 0)]).differing == 2
    assert check_ledger([SOUND], []).differing == 2
    assert check_ledger([], [LedgerCount(3, 1, 0)]).differing == 1


def test_forgotten_rows_are_told_with_the_first_day_that_is_whole() -> None:
    """Nothing is said where nothing was dropped."""
    assert Forgotten(0, None, 0).line() is None
    line = Forgotten(12_000, date(2025, 10, 20), 37).line()
    assert line is not None
    assert line.startswith("12,000 ledger rows were dropped")
    assert "37 daily totals before 2025-10-20 stay as they are" in line


def test_event_that_stands_twice_is_named_with_its_places() -> None:
    """One record entered twice, and two records under one id."""
    once = RepeatedEvent("/a", "x", 2, 3, 17, 17)
    twice = RepeatedEvent("/a", "y", 3, 3, 17, 40)
    check = check_repeated([once, twice], 5)
    assert [one.line() for one in check.differences] == [
        "/a x: 2 rows, partition 3, offset 17",
        "/a y: 3 rows, partition 3, offsets 17 to 40",
    ]
    assert not check.is_equal
    assert check.advice
    assert check_repeated([], 0).is_equal
