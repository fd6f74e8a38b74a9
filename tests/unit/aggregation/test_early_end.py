"""When a log that seems to end early is believed to."""

import pytest

from services.aggregation.consumer.early_end import ENDS_EARLY_MS, EarlyEnds
from services.aggregation.core.place import Place
from shared.errors import FatalError

APPLIED = Place(1, 41_516, b"")
SHORT = 40_249
AT_MS = 1_763_777_000_000


def test_answer_from_before_the_records_were_applied_is_not_believed() -> None:
    """A stopped process wakes up; another one has applied what came meanwhile."""
    ends = EarlyEnds()
    for _ in range(100):
        ends.check(APPLIED, log_end=SHORT, polled_ms=AT_MS)
    ends.check(APPLIED, log_end=41_600, polled_ms=AT_MS + 60_000)


def test_broker_that_just_came_back_is_not_believed_at_once() -> None:
    """However old its answer before that was."""
    ends = EarlyEnds()
    ends.check(APPLIED, log_end=SHORT, polled_ms=AT_MS)
    back_ms = AT_MS + 60_000
    ends.check(APPLIED, log_end=SHORT, polled_ms=back_ms)
    ends.check(APPLIED, log_end=SHORT, polled_ms=back_ms + ENDS_EARLY_MS - 1)
    ends.check(APPLIED, log_end=41_516, polled_ms=back_ms + ENDS_EARLY_MS)


def test_broker_that_goes_on_saying_so_is_believed() -> None:
    """The topic was recreated or lost its end."""
    ends = EarlyEnds()
    ends.check(APPLIED, log_end=SHORT, polled_ms=AT_MS)
    ends.check(APPLIED, log_end=SHORT, polled_ms=AT_MS + 1)
    with pytest.raises(FatalError, match="ends at offset 40249, but 41516 records"):
        ends.check(APPLIED, log_end=SHORT, polled_ms=AT_MS + 1 + ENDS_EARLY_MS)


def test_one_answer_that_shows_the_end_clears_all_doubt() -> None:
    """Doubt begins anew with the next one that does not."""
    ends = EarlyEnds()
    for start_ms in (AT_MS, AT_MS + 60_000):
        ends.check(APPLIED, log_end=SHORT, polled_ms=start_ms)
        ends.check(APPLIED, log_end=SHORT, polled_ms=start_ms + 1)
        ends.check(APPLIED, log_end=41_516, polled_ms=start_ms + 2)


def test_without_an_answer_nothing_is_doubted() -> None:
    """The broker is away, or was never asked."""
    ends = EarlyEnds()
    ends.check(APPLIED, log_end=None, polled_ms=None)
    ends.check(APPLIED, log_end=0, polled_ms=-1)
    ends.check(APPLIED, log_end=0, polled_ms=AT_MS)
