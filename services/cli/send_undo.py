"""`uptake send --undo`: reverses what was sent of a file, each event once.

It goes by what was noted while the file was sent, not by the file: that may have been
changed, sorted or deleted since.
"""

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.cli.render import counted
from services.cli.send_files import FileProblemError
from services.cli.send_flow import Door, cut_batches, send_batches
from services.cli.send_http import Outcome
from services.cli.send_plan import REVERSED, ReadyRow, RefusedRow
from services.cli.send_progress import ProgressDisplay
from services.cli.send_refused import refused_paths
from services.cli.send_report import LINE_MAX, Tally
from services.cli.send_state import Fate, Phase, SentEvent, SentState

UNDO_PREFIX: Final = "undo1-"
_HEX_DIGITS: Final = 40


@dataclass(frozen=True, slots=True)
class Undoing:
    """What an undo of a file would do.

    Attributes:
        event_count: Events that may be in the log and can be reversed.
        undone_count: Events that were undone before.
        reversal_count: Reversals that the file sent; a reversal cannot be reversed.
    """

    event_count: int
    undone_count: int
    reversal_count: int


def plan_undo(path: Path, state: SentState) -> Undoing:
    """Count what an undo would do.

    Raises:
        FileProblemError: Nothing is known to have been sent.
    """
    undoing = Undoing(
        event_count=state.count(Fate.BEGUN, Fate.ACCEPTED),
        undone_count=state.count(Fate.UNDONE),
        reversal_count=state.count(Fate.BEGUN, Fate.ACCEPTED, reverses=True),
    )
    if not (undoing.event_count or undoing.undone_count):
        raise FileProblemError(
            f"{path}: nothing is known to have been sent of it to that address; what "
            "was sent stands in a file beside it that ends in .sent"
        )
    return undoing


def reversal_of(event: SentEvent) -> bytes:
    """Make the reversal of an event; of the same one always the same.

    Its instant is the original's, since it takes effect on the original's day; a
    reversal that is sent again is therefore a duplicate.
    """
    digest = hashlib.sha256(json.dumps([event.source, event.id]).encode()).hexdigest()
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"{UNDO_PREFIX}{digest[:_HEX_DIGITS]}",
            "source": event.source,
            "type": REVERSED,
            "time": event.time,
            "data": {"id": event.id, "source": event.source, "time": event.time},
        },
        separators=(",", ":"),
    ).encode("ascii")


class UndoingDoor:
    """A door for reversals that notes which of them went through it."""

    def __init__(self, door: Door, state: SentState) -> None:
        self._door = door
        self._state = state

    async def deliver(self, rows: Sequence[ReadyRow]) -> Outcome:
        """Have every reversal accepted or refused; see `IngestDoor.deliver`."""
        outcome = await self._door.deliver(rows)
        refused = {row.number for row in outcome.refused}
        self._state.mark_undone(
            [
                SentEvent(row.source, row.id, row.time)
                for row in rows
                if row.number not in refused
            ]
        )
        return outcome


def _read(state: SentState) -> Iterator[ReadyRow | RefusedRow]:
    for number, event in enumerate(state.to_undo(), start=1):
        yield ReadyRow(
            number,
            event.id,
            reversal_of(event),
            event.source,
            event.time,
            texts=(event.source, event.id, event.time),
        )


async def undo_file(
    path: Path, state: SentState, door: Door, tally: Tally, progress: ProgressDisplay
) -> Path | None:
    """Reverse what was sent of a file.

    What ends it half-way loses nothing: the rest is reversed when it is done again.

    Args:
        path: The file.
        state: What was sent of it.
        door: Where reversals go.
        tally: Told what becomes of them.
        progress: Told how far it is.

    Returns:
        The file that lists reversals that were refused, if any were.
    """
    state.enter(Phase.UNDOING)
    refused: list[RefusedRow] = []
    listed = path.with_name(f"{path.stem}.not-undone.csv")

    def settle(outcome: Outcome) -> None:
        tally.add(outcome)
        if outcome.refused:
            _list_refused(listed, outcome.refused, is_first=not refused)
            refused.extend(outcome.refused[:1])
        progress.advance(outcome.accepted + len(outcome.refused))

    await send_batches(cut_batches(_read(state)), UndoingDoor(door, state), settle)
    state.enter(Phase.UNDONE)
    return listed if refused else None


def _list_refused(path: Path, rows: Sequence[RefusedRow], *, is_first: bool) -> None:
    try:
        with path.open("w" if is_first else "a", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            if is_first:
                writer.writerow(("code", "detail", "source", "id", "time"))
            writer.writerows((row.code, row.detail, *row.texts) for row in rows)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise FileProblemError(f"{path}: cannot be written: {reason}") from error


def summarize_undo(
    path: Path, undoing: Undoing, tally: Tally, listed: Path | None
) -> list[str]:
    """Say what became of an undo."""
    if not undoing.event_count:
        count = counted(undoing.undone_count, "event")
        lines = [f"{path}: undone already, {count}; nothing sent"]
    else:
        lines = [f"{path}: {counted(tally.accepted, 'event')} undone"]
        if undoing.undone_count:
            lines[0] += f", {undoing.undone_count:,} before that"
    if listed is not None:
        lines.append(f"  {tally.refused:,} could not be undone -> {listed}")
        lines += [
            f"    {row.code:<20} {row.detail}"[:LINE_MAX] for row in tally.examples
        ]
    if undoing.reversal_count:
        lines.append(
            f"  {counted(undoing.reversal_count, 'reversal')} kept: a reversal cannot "
            "be reversed"
        )
    lines += [
        f"  corrected rows were sent too: uptake send {other} --undo"
        for other in refused_paths(path)
    ]
    return lines
