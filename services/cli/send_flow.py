"""Sends the rows of a file in batches, a few at a time, outcomes in file order."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from services.cli.send_http import CONCURRENCY, Outcome
from services.cli.send_plan import ReadyRow, RefusedRow
from shared.errors import UptakeError

BATCH_ROWS_MAX: Final = 1_000
BATCH_BYTES_MAX: Final = 900_000


class Door(Protocol):
    """Where batches go."""

    async def deliver(self, rows: Sequence[ReadyRow]) -> Outcome:
        """Have every row accepted or refused."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that go together, with those among them that were refused here."""

    rows: tuple[ReadyRow, ...]
    refused: tuple[RefusedRow, ...]


def cut_batches(rows: Iterable[ReadyRow | RefusedRow]) -> Iterator[Batch]:
    """Cut rows into batches, bounded by rows and by bytes, of one sheet, in order."""
    ready: list[ReadyRow] = []
    refused: list[RefusedRow] = []
    size, sheet = 0, ""
    for row in rows:
        row_size = len(row.body) + 1 if isinstance(row, ReadyRow) else 0
        is_full = len(ready) + len(refused) >= BATCH_ROWS_MAX
        is_heavy = bool(ready) and size + row_size > BATCH_BYTES_MAX
        # Numbers of rows begin again in the next sheet.
        is_turned = bool(ready or refused) and row.sheet != sheet
        if is_full or is_heavy or is_turned:
            yield Batch(tuple(ready), tuple(refused))
            ready, refused, size = [], [], 0
        sheet = row.sheet
        if isinstance(row, ReadyRow):
            ready.append(row)
            size += row_size
        else:
            refused.append(row)
    if ready or refused:
        yield Batch(tuple(ready), tuple(refused))


async def send_batches(
    batches: Iterable[Batch], door: Door, on_outcome: Callable[[Outcome], None]
) -> None:
    """Send batches, `CONCURRENCY` at a time.

    A batch is read only once there is room for it, so memory stays bounded however
    long the file is and however slow the door.

    Args:
        batches: Read lazily.
        door: Where they go.
        on_outcome: Told of each batch, in the order of the batches.

    Raises:
        UptakeError: The first that stopped the sending; later batches were not
            sent, and those under way may or may not have been accepted.
    """
    run = _Run(door, on_outcome)
    stopped: list[UptakeError] = []
    try:
        async with asyncio.TaskGroup() as group:
            for place, batch in enumerate(batches):
                await run.room.acquire()
                group.create_task(run.send(place, batch))
    except* UptakeError as errors:
        stopped += _flatten(errors)
    if stopped:
        raise stopped[0]


def _flatten(group: BaseExceptionGroup[UptakeError]) -> Iterator[UptakeError]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _flatten(error)
        else:
            yield error


class _Run:
    """Batches under way, and outcomes that wait for their turn."""

    def __init__(self, door: Door, on_outcome: Callable[[Outcome], None]) -> None:
        self.room = asyncio.Semaphore(CONCURRENCY)
        self._door = door
        self._on_outcome = on_outcome
        self._settled: dict[int, Outcome] = {}
        self._next = 0

    async def send(self, place: int, batch: Batch) -> None:
        """Send one batch and pass on what is due."""
        outcome = await self._door.deliver(batch.rows)

        rows = sorted((*batch.refused, *outcome.refused), key=lambda row: row.number)
        self._settled[place] = replace(outcome, refused=tuple(rows))
        # Room is made in file order, so that outcomes do not pile up behind a batch
        # that has to be tried again.
        while self._next in self._settled:
            self._on_outcome(self._settled.pop(self._next))
            self._next += 1
            self.room.release()
