"""Runs `uptake send` over its files: sending, checking, undoing."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import aiohttp

from services.cli.interrupt import EXIT_INTERRUPTED
from services.cli.render import counted
from services.cli.send_asking import Asking, Questions
from services.cli.send_check import Check, open_check
from services.cli.send_files import FileProblemError
from services.cli.send_flow import Door, cut_batches, send_batches
from services.cli.send_http import IngestDoor, Outcome, make_session
from services.cli.send_ids import OrdinalCounter
from services.cli.send_noting import (
    NotingDoor,
    check_corrections,
    enter_sending,
    find_corrections,
)
from services.cli.send_options import Delivery
from services.cli.send_plan import EventReader, Plan, RefusedRow
from services.cli.send_progress import ProgressDisplay, show_progress
from services.cli.send_refused import REJECTED, RefusedFile, open_refused_file
from services.cli.send_report import JsonReport, Report, Tally, TextReport
from services.cli.send_state import (
    Phase,
    SentState,
    has_state,
    open_state,
    state_path,
)
from services.cli.send_told import Became, Told
from services.cli.send_undo import plan_undo, summarize_undo, undo_file
from shared.errors import UptakeError

EXIT_REFUSED: Final = 1
EXIT_NOTHING_SENT: Final = 2
AGAIN: Final = "the same command goes on from there, and nothing counts twice"


def send_all(plans: Sequence[Plan], delivery: Delivery, *, is_json: bool) -> int:
    """Send files one after the other; return the exit status."""
    would = "dry run" if delivery.is_dry_run else None
    report: Report = JsonReport() if is_json else TextReport(would=would)
    run = _Sending(plans, delivery, report)

    def say_stopped(why: str) -> None:
        accepted = sum(tally.accepted for tally in run.tallies)
        _complain(f"stopped: {why}")
        if run.is_sent:
            _complain("  everything was sent; only the board was still asked")
        elif delivery.is_dry_run:
            _complain("  nothing was sent (dry run)")
        else:
            _complain(f"  {counted(accepted, 'row')} accepted until then;\n  {AGAIN}")

    return _run(run.run, run.tallies, say_stopped)


def check_all(plans: Sequence[Plan], against: Check, *, is_json: bool) -> int:
    """Check files against a catalogue, without a server; return the exit status."""
    report: Report = JsonReport() if is_json else TextReport(would="check only")
    run = _Checking(plans, against, report)

    def say_stopped(why: str) -> None:
        _complain(f"stopped: {why}")

    # What was checked until then says nothing about the rest.
    status = _run(run.run, (), say_stopped)
    return EXIT_REFUSED if not status and _is_any_refused(run.tallies) else status


def undo_all(paths: Sequence[Path], delivery: Delivery) -> int:
    """Undo what was sent of files, one after the other; return the exit status."""
    run = _Undoing(paths, delivery)

    def say_stopped(why: str) -> None:
        _complain(f"stopped: {why}")
        if run.tallies:
            _complain("  the same command goes on from there")

    return _run(run.run, run.tallies, say_stopped)


def _run(
    body: Callable[[], Coroutine[Any, Any, None]],
    tallies: Sequence[Tally],
    say_stopped: Callable[[str], None],
) -> int:
    try:
        asyncio.run(body())
    except KeyboardInterrupt:
        say_stopped("interrupted")
        return EXIT_INTERRUPTED
    except UptakeError as error:
        say_stopped(" ".join(str(error).split()))
        is_any_accepted = any(tally.accepted for tally in tallies)
        return EXIT_REFUSED if is_any_accepted else EXIT_NOTHING_SENT
    return EXIT_REFUSED if _is_any_refused(tallies) else 0


def _sent_of(tally: Tally) -> int:
    return tally.accepted + tally.before


def _is_any_refused(tallies: Sequence[Tally]) -> bool:
    return any(tally.refused or tally.rejected for tally in tallies)


def _complain(line: str) -> None:
    print(line, file=sys.stderr)


class _Sending:
    """Sends the files of one command.

    Attributes:
        tallies: What became of the rows of each.
        is_sent: Whether all were sent to their ends.
    """

    def __init__(
        self, plans: Sequence[Plan], delivery: Delivery, report: Report
    ) -> None:
        self.tallies = [Tally() for _ in plans]
        self.is_sent = False
        self._begun_at: datetime | None = None
        self._plans = plans
        self._delivery = delivery
        self._report = report

    async def run(self) -> None:
        """Send them, and ask what became of them."""
        delivery = self._delivery
        if delivery.is_dry_run or delivery.board_url is None:
            await self._send_all()
            if not delivery.is_dry_run and any(map(_sent_of, self.tallies)):
                self._report.tell_nothing()
            return
        questions = Questions(
            delivery.board_url, delivery.key or "", delivery.wait_seconds
        )
        async with aiohttp.ClientSession() as session:
            asking = Asking(session, questions)
            self._begun_at = await asking.begin(self._plans)
            await self._send_all()
            for plan, tally in zip(self._plans, self.tallies, strict=True):
                if _sent_of(tally) and not await self._ask(plan, tally, asking):
                    return

    async def _send_all(self) -> None:
        with OrdinalCounter() as counter:
            async with make_session(self._delivery.key) as session:
                for plan, tally in zip(self._plans, self.tallies, strict=True):
                    await self._send(plan, tally, counter, session)
        self.is_sent = True

    async def _ask(self, plan: Plan, tally: Tally, asking: Asking) -> bool:
        """Have the board tell of a file; return whether it told to the end."""
        told = Told(sent=_sent_of(tally))
        listed: tuple[Path, ...] = ()
        reason = None
        try:
            with (
                open_state(plan.path, self._delivery.url) as state,
                open_refused_file(plan, state, REJECTED) as rejected,
                show_progress("asking the board", told.sent) as progress,
            ):

                def on_rejected(rows: Sequence[RefusedRow]) -> None:
                    nonlocal listed
                    rejected.write(tuple(rows))
                    listed = rejected.paths
                    self._report.reject(plan.path, rows)

                await asking.ask(plan, state, told, on_rejected, progress)
        except UptakeError as error:
            # It was sent all the same, and counts whoever tells of it or not.
            reason = " ".join(str(error).split())
        tally.rejected = told.states[Became.REJECTED]
        if told.asked:
            self._report.tell(plan, told, listed)
        if reason is not None:
            _complain(f"sent, but what was counted is not known: {reason}")
        return reason is None

    async def _send(
        self,
        plan: Plan,
        tally: Tally,
        counter: OrdinalCounter,
        session: aiohttp.ClientSession,
    ) -> None:
        delivery = self._delivery
        with ExitStack() as stack:
            state, is_resumed = enter_sending(stack, plan, delivery.url)
            is_resumed &= not (delivery.is_from_start or delivery.is_dry_run)
            corrections = find_corrections(plan.path, delivery.url)
            check_corrections(plan, state, corrections)
            self._report.begin(plan, is_resumed=is_resumed)
            reader = EventReader(plan, counter, state.is_undone)
            title = "checking" if delivery.is_dry_run else "sending"
            with show_progress(title, plan.row_count) as progress:
                door: Door = _open_door(session, delivery, progress)
                if not delivery.is_dry_run:
                    if not is_resumed:
                        state.note_beginning(self._begun_at)
                    state.enter(Phase.SENDING, is_new=not is_resumed)
                    door = NotingDoor(door, state, is_resumed=is_resumed)
                with open_refused_file(plan, state) as refused:
                    rows = corrections.leave_out(reader.read())
                    settle = _settler(plan, tally, refused, self._report, progress)
                    await send_batches(cut_batches(rows), door, settle)
            if not delivery.is_dry_run:
                state.enter(Phase.SENT)
            tally.corrected = corrections.left_out
            self._report.finish(plan, tally, refused.paths)
            _warn_of_equal_rows(plan, reader)


class _Checking:
    """Checks the files of one command by ingest's decisions."""

    def __init__(self, plans: Sequence[Plan], against: Check, report: Report) -> None:
        self.tallies = [Tally() for _ in plans]
        self._plans = plans
        self._against = against
        self._report = report

    async def run(self) -> None:
        """Check them; nothing is written beside them."""
        with OrdinalCounter() as counter:
            async with open_check(self._against) as door:
                for plan, tally in zip(self._plans, self.tallies, strict=True):
                    self._report.begin(plan, is_resumed=False)
                    reader = EventReader(plan, counter)
                    with show_progress("checking", plan.row_count) as progress:
                        settle = _settler(plan, tally, None, self._report, progress)
                        await send_batches(cut_batches(reader.read()), door, settle)
                    self._report.finish(plan, tally, ())
                    _warn_of_equal_rows(plan, reader)


class _Undoing:
    """Undoes what was sent of the files of one command."""

    def __init__(self, paths: Sequence[Path], delivery: Delivery) -> None:
        self.tallies: list[Tally] = []
        self._paths = paths
        self._delivery = delivery

    async def run(self) -> None:
        """Undo them."""
        async with make_session(self._delivery.key) as session:
            for path in self._paths:
                if not has_state(path):
                    raise FileProblemError(
                        f"{path}: nothing is known to have been sent of it: there is "
                        f"no {state_path(path)}"
                    )
                with open_state(path, self._delivery.url) as state:
                    await self._undo(path, state, session)

    async def _undo(
        self, path: Path, state: SentState, session: aiohttp.ClientSession
    ) -> None:
        undoing = plan_undo(path, state)
        if self._delivery.is_dry_run:
            count = counted(undoing.event_count, "event")
            print(f"{path}: {count} would be undone (dry run)")
            return
        tally, listed = Tally(), None
        if undoing.event_count:
            with show_progress("undoing", undoing.event_count) as progress:
                door = _open_door(session, self._delivery, progress)
                self.tallies.append(tally)
                listed = await undo_file(path, state, door, tally, progress)
        print("\n".join(summarize_undo(path, undoing, tally, listed)), flush=True)


def _open_door(
    session: aiohttp.ClientSession, delivery: Delivery, progress: ProgressDisplay
) -> IngestDoor:
    return IngestDoor(
        session,
        delivery.url,
        is_dry_run=delivery.is_dry_run,
        patience_seconds=delivery.patience_seconds,
        on_wait=progress.wait,
    )


def _settler(
    plan: Plan,
    tally: Tally,
    refused: RefusedFile | None,
    report: Report,
    progress: ProgressDisplay,
) -> Callable[[Outcome], None]:
    """Make what is told of each batch, in the order of the file."""

    def settle(outcome: Outcome) -> None:
        tally.add(outcome)
        if refused is not None:
            refused.write(outcome.refused)
        report.refuse(plan.path, outcome.refused)
        progress.advance(outcome.accepted + outcome.before + len(outcome.refused))

    return settle


def _warn_of_equal_rows(plan: Plan, reader: EventReader) -> None:
    count = reader.equal_to_earlier_files
    if count:
        _complain(
            f"{plan.path}: {count:,} rows equal rows of a file before it and "
            "count once; if they are other facts, give --id, or each file a source "
            "of its own"
        )
