"""Notes what is sent while it is sent, and leaves out what is in the log already."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from services.cli.send_files import FileProblemError
from services.cli.send_flow import Door
from services.cli.send_http import Outcome
from services.cli.send_ids import OrdinalCounter
from services.cli.send_plan import EventReader, Plan, ReadyRow, RefusedRow
from services.cli.send_refused import refused_paths
from services.cli.send_state import (
    Fate,
    Phase,
    SentEvent,
    SentState,
    has_state,
    open_state,
)

# Refused rows of one file that were sent corrected; each is held in memory.
CORRECTED_MAX: Final = 1_000_000


class NotingDoor:
    """A door that notes rows durably before they go through it.

    Whatever ends the process, what may be in the log is noted; what was accepted in
    the sending that goes on now is not sent again.
    """

    def __init__(self, door: Door, state: SentState, *, is_resumed: bool) -> None:
        """Wrap a door.

        Args:
            door: Where rows go.
            state: What is known of the file.
            is_resumed: Whether an earlier sending was interrupted.
        """
        self._door = door
        self._state = state
        self._is_resumed = is_resumed

    async def deliver(self, rows: Sequence[ReadyRow]) -> Outcome:
        """Have every row accepted or refused; see `IngestDoor.deliver`."""
        fresh = [row for row in rows if not self._is_settled(row)]
        before = len(rows) - len(fresh)
        if not fresh:
            return Outcome(0, (), before)
        events = {(row.sheet, row.number): _event_of(row) for row in fresh}
        self._state.begin(list(events.values()))
        outcome = await self._door.deliver(fresh)
        refused = [events.pop((row.sheet, row.number)) for row in outcome.refused]
        self._state.settle(list(events.values()), Fate.ACCEPTED)
        self._state.settle(refused, Fate.REFUSED)
        return replace(outcome, before=before)

    def _is_settled(self, row: ReadyRow) -> bool:
        return self._is_resumed and self._state.is_settled_in_this_run(
            row.source, row.id
        )


def _event_of(row: ReadyRow) -> SentEvent:
    return SentEvent(row.source, row.id, row.time, row.is_reversal)


class Corrections:
    """Rows of a file that were refused, corrected in the file of refusals and sent."""

    def __init__(self, ids: frozenset[tuple[str, str]] = frozenset()) -> None:
        self._ids = ids
        self.left_out = 0

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return bool(self._ids)

    @property
    def ids(self) -> frozenset[tuple[str, str]]:
        """Source and id of each."""
        return self._ids

    def leave_out(
        self, rows: Iterable[ReadyRow | RefusedRow]
    ) -> Iterator[ReadyRow | RefusedRow]:
        """Pass on the other rows."""
        for row in rows:
            if key_of(row) in self._ids:
                self.left_out += 1
            else:
                yield row


def key_of(row: ReadyRow | RefusedRow) -> tuple[str, str | None]:
    """Return the source and the id under which a row is or will be known."""
    return row.source, row.id if isinstance(row, ReadyRow) else row.made_id


def find_corrections(path: Path, url: str) -> Corrections:
    """Look up which refused rows of a file were sent corrected.

    Raises:
        FileProblemError: What was noted cannot be read.
    """
    found: set[tuple[str, str]] = set()
    for refused in refused_paths(path):
        if not has_state(refused):
            continue
        with open_state(refused, url) as state:
            for event in state.accepted():
                found.add((event.source, event.id))
                if len(found) > CORRECTED_MAX:
                    raise FileProblemError(
                        f"{refused}: more than {CORRECTED_MAX:,} corrected rows"
                    )
    return Corrections(frozenset(found))


def check_corrections(plan: Plan, state: SentState, corrections: Corrections) -> None:
    """Refuse a file in which rows were corrected that were sent corrected already.

    Such a row has another id here than in the file of refusals and would count twice.

    Raises:
        FileProblemError: There are such rows, or may be.
    """
    if not corrections or plan.has_own_ids:
        return
    missing, new = set(corrections.ids), 0
    with OrdinalCounter() as counter:
        for row in EventReader(plan, counter, state.is_undone).read():
            source, id_ = key_of(row)
            if id_ is None:
                continue
            missing.discard((source, id_))
            is_new = isinstance(row, ReadyRow) and state.fate_of(source, id_) is None
            new += is_new and (source, id_) not in corrections.ids
    if missing and new:
        raise FileProblemError(
            f"{plan.path}: {new:,} rows are new here, and {len(missing):,} rows that "
            "were sent corrected from its file of refused rows have changed here: "
            "what is both would count twice. Undo that file (--undo), or put new rows "
            "into a file of their own"
        )


def enter_sending(stack: ExitStack, plan: Plan, url: str) -> tuple[SentState, bool]:
    """Open what is known of a file and begin to send it, or go on.

    Returns:
        What is known; and whether an earlier sending goes on.

    Raises:
        FileProblemError: An undo of it was interrupted, or see `open_state`.
    """
    state = stack.enter_context(open_state(plan.path, url))
    if state.phase is Phase.UNDOING:
        raise FileProblemError(
            f"{plan.path}: undoing it was interrupted; finish that first by --undo"
        )
    # After a wrong key, say, nothing had been accepted: there is no rest to go on with.
    return state, state.phase is Phase.SENDING and state.count(Fate.ACCEPTED) > 0
