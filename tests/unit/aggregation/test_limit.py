"""Many unreadable records stop aggregation; few do not, nor does anything else."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.aggregation.core.limit import UnreadableLimit, UnreadableWindow
from shared.errors import FatalError

LIMIT = UnreadableLimit(records_max=2, window_records=10)
Log = Sequence[bool]
"""By offset, whether a record is unreadable."""


def stops_at(log: Log, cuts: Sequence[int], limit: UnreadableLimit) -> int | None:
    """Judge a log batch by batch; return where the batch that stops it begins.

    Args:
        log: A partition.
        cuts: Where batches begin; a negative one is a restart there.
        limit: The policy.
    """
    bounds = sorted({0, len(log), *(abs(cut) for cut in cuts)})
    restarts = {-cut for cut in cuts if cut < 0}
    window = UnreadableWindow(0, 0, 0)
    for first, end in itertools.pairwise(bounds):
        if first in restarts:
            window = UnreadableWindow(0, first, first)
        found = [offset for offset in range(first, end) if log[offset]]
        if found and (past := window.missing(found[0], limit)):
            window = window.learn(past, [offset for offset in past if log[offset]])
        try:
            window = window.admit(end, found, limit)
        except FatalError:
            return first
        assert len(window.offsets) <= limit.records_max
    return None


def test_as_many_as_allowed_pass_and_one_more_stops() -> None:
    """The message says how many, where, and what can be set."""
    window = UnreadableWindow(3, 0, 0).admit(5, [1, 4], LIMIT)
    assert window.offsets == (1, 4)
    with pytest.raises(FatalError, match="partition 3: 3 of the 10 records") as caught:
        window.admit(8, [7], LIMIT)
    assert "UPTAKE_UNREADABLE_RECORDS_MAX" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_left_the_window_is_forgotten() -> None:
    """A few a day never add up."""
    window = UnreadableWindow(0, 0, 0)
    for offset in range(0, 1_000, 5):
        window = window.admit(offset + 1, [offset], LIMIT)
        assert len(window.offsets) <= 2


def test_limit_of_zero_stops_at_the_first() -> None:
    """Whoever wants none gets none."""
    with pytest.raises(FatalError):
        UnreadableWindow(0, 0, 0).admit(1, [0], UnreadableLimit(0, 10))


def test_restart_asks_for_no_more_than_the_window() -> None:
    """And for nothing where every record of the window is known."""
    started = UnreadableWindow(0, 100, 100)
    assert started.missing(102, LIMIT) == range(93, 100)
    assert not started.missing(109, LIMIT)
    assert not started.learn(range(93, 100), []).missing(102, LIMIT)
    assert UnreadableWindow(0, 3, 3).missing(3, LIMIT) == range(3)


@given(
    st.lists(st.booleans(), min_size=1, max_size=60),
    st.lists(st.integers(-59, 59), max_size=12),
    st.integers(0, 4),
    st.integers(1, 15),
)
def test_neither_batches_nor_restarts_change_the_rule(
    log: Log, cuts: Sequence[int], records_max: int, window_records: int
) -> None:
    """It stops in the batch with the first window that has too many, or never."""
    limit = UnreadableLimit(records_max, window_records)
    cuts = [cut for cut in cuts if abs(cut) < len(log)]
    over = next(
        (
            offset
            for offset in range(len(log))
            if log[offset]
            and sum(log[max(offset - window_records + 1, 0) : offset + 1]) > records_max
        ),
        None,
    )
    begins = sorted({0, *(abs(cut) for cut in cuts)})
    expected = None if over is None else max(at for at in begins if at <= over)
    assert stops_at(log, cuts, limit) == expected
