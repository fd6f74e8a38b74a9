"""Batches: bounded, a few at a time, outcomes in file order."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from services.cli.send_flow import (
    BATCH_BYTES_MAX,
    BATCH_ROWS_MAX,
    Batch,
    cut_batches,
    send_batches,
)
from services.cli.send_http import CONCURRENCY, Outcome, SendStoppedError
from services.cli.send_plan import ReadyRow, RefusedRow


def ready(number: int, size: int = 10) -> ReadyRow:
    """Make a row of some size."""
    return ReadyRow(number, f"id-{number}", b"x" * size)


class FakeDoor:
    """Accepts everything; later batches are faster, so they overtake."""

    def __init__(self, *, stop_at: int | None = None) -> None:
        self.under_way = 0
        self.under_way_max = 0
        self._stop_at = stop_at

    async def deliver(self, rows: Sequence[ReadyRow]) -> Outcome:
        """Accept a batch after a few turns of the loop."""
        self.under_way += 1
        self.under_way_max = max(self.under_way_max, self.under_way)
        for _ in range(10 - rows[0].number % 10):
            await asyncio.sleep(0)
        self.under_way -= 1
        if rows[0].number == self._stop_at:
            raise SendStoppedError("enough")
        return Outcome(len(rows), (RefusedRow(rows[0].number, "code", ""),))


def test_batches_are_bounded_by_rows_and_keep_every_row() -> None:
    """Nothing is lost at the borders; refused rows count towards the bound."""
    rows: list[ReadyRow | RefusedRow] = [ready(number) for number in range(1, 2_501)]
    rows[5] = RefusedRow(6, "bad_count", "")
    batches = list(cut_batches(rows))
    assert [len(batch.rows) + len(batch.refused) for batch in batches] == [
        BATCH_ROWS_MAX,
        BATCH_ROWS_MAX,
        500,
    ]
    assert [row for batch in batches for row in batch.rows] == [
        row for row in rows if isinstance(row, ReadyRow)
    ]
    assert batches[0].refused == (rows[5],)


def test_batches_are_bounded_by_bytes() -> None:
    """A row larger than the bound goes alone."""
    sizes = [BATCH_BYTES_MAX // 2, BATCH_BYTES_MAX // 2, BATCH_BYTES_MAX * 2, 1]
    rows = [ready(number, size) for number, size in enumerate(sizes)]
    assert [len(batch.rows) for batch in cut_batches(rows)] == [1, 1, 1, 1]
    assert list(cut_batches([])) == []


async def test_outcomes_come_in_file_order_and_batches_are_read_lazily() -> None:
    """However batches overtake each other; no more are read than have room."""
    door, read = FakeDoor(), 0
    told: list[Outcome] = []

    def batches() -> Iterator[Batch]:
        nonlocal read
        for number in range(50):
            read += 1
            assert read - len(told) <= CONCURRENCY + 1
            yield Batch((ready(number),), ())

    await send_batches(batches(), door, told.append)
    assert [outcome.refused[0].number for outcome in told] == list(range(50))
    assert 1 < door.under_way_max <= CONCURRENCY


async def test_first_error_stops_the_rest_and_is_no_group() -> None:
    """What was settled before has been told."""
    told: list[Outcome] = []
    batches = (Batch((ready(number),), ()) for number in range(100))
    with pytest.raises(SendStoppedError, match="enough"):
        await send_batches(batches, FakeDoor(stop_at=20), told.append)
    assert [outcome.refused[0].number for outcome in told] == list(range(len(told)))
    assert len(told) <= 20
