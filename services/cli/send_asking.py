"""Asks the board what became of the rows of a file, page by page, after sending.

The file is read once more and the note beside it says which rows were accepted, so a
page of rows is all that is held, however long the file is (ADR 0019).
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import aiohttp
from pydantic import ValidationError

from services.cli.board_client import REQUEST_SECONDS_MAX, Page, ask_page
from services.cli.send_ids import OrdinalCounter
from services.cli.send_plan import EventReader, Plan, ReadyRow, RefusedRow
from services.cli.send_progress import ProgressDisplay
from services.cli.send_state import SentState
from services.cli.send_told import Became, Told, judge_receipt, reject_row
from shared.backoff import delays_seconds
from shared.errors import FatalError, TransientError
from shared.events.receipts_v1 import ASKED_MAX, AskedEventV1

# A request may be a mebibyte; ids and sources of any script stay below it.
PAGE_BYTES_MAX: Final = 900_000
# Of the question before sending, for which nobody should wait long.
FIRST_SECONDS_MAX: Final = 5.0
# How far the servers' clocks may be apart; and the answer's Date has no fractions.
CLOCKS_APART_MAX: Final = timedelta(seconds=2)
QUIET_ATTEMPTS: Final = 4
LOOK_EVERY_SECONDS: Final = 2.0

# States of which another copy may still be on the way.
_EARLIER: Final = frozenset({Became.BEFORE, Became.REPEATED, Became.VOIDED})


@dataclass(frozen=True, slots=True)
class _AskedRow:
    """A row, what is asked about it, and whether a row before it has the same id."""

    row: ReadyRow
    asked: AskedEventV1
    is_repeat: bool


RowPage = list[_AskedRow]


@dataclass(frozen=True, slots=True)
class Questions:
    """Whom to ask.

    Attributes:
        url: Address of the board.
        key: The agency's key.
        patience_seconds: How long to wait, in all, for what is on the way.
    """

    url: str
    key: str
    patience_seconds: float


class Asking:
    """Asks the board for one command."""

    def __init__(self, session: aiohttp.ClientSession, questions: Questions) -> None:
        """Ask nothing yet.

        Args:
            session: The caller's.
            questions: Whom to ask, and how long.
        """
        self._session = session
        self._questions = questions
        self._left_seconds = questions.patience_seconds
        # By the board's clock, at the latest; known once it has answered.
        self._sent_at: datetime | None = None

    async def begin(self, plans: Sequence[Plan]) -> datetime | None:
        """Ask what time it is, before anything is sent.

        What the log has from before that instant was not brought by this sending.

        Returns:
            A little earlier than now, by the board's clock; None if it does not tell.
        """
        first = _first_row(plans)
        if first is None:
            return None
        try:
            page = await self._ask_once([_ask_about(first)], FIRST_SECONDS_MAX)
        except (TransientError, FatalError):
            # Sending does not depend on the board; afterwards it is asked again, and
            # what stands in the way is said.
            return None
        return page.answered_at and page.answered_at - CLOCKS_APART_MAX

    async def ask(
        self,
        plan: Plan,
        state: SentState,
        told: Told,
        on_rejected: Callable[[Sequence[RefusedRow]], None],
        progress: ProgressDisplay,
    ) -> None:
        """Ask about every row that was accepted in the last sending.

        A page is asked about until all of it is settled; what is not when patience
        ends is told as on the way.

        Args:
            plan: The file.
            state: What was sent of it.
            told: Told what became of the rows.
            on_rejected: Told of rows that are in no total, in the order of the file.
            progress: Told how far it is.

        Raises:
            TransientError: The board does not answer, and patience has ended.
            FatalError: It refuses to answer.
        """
        with OrdinalCounter() as counter, OrdinalCounter() as repeats:
            reader = EventReader(plan, counter, state.is_undone)
            for rows in _cut_pages(_accepted(reader, state), repeats):
                states, page = await self._settle(rows, state.begun_at, progress)
                rejected = [
                    reject_row(each.row, receipt)
                    for each, became, receipt in zip(
                        rows, states, page.receipts.receipts, strict=True
                    )
                    if became is Became.REJECTED
                ]
                told.complete_up_to = page.receipts.complete_up_to
                told.add(states, rejected)
                on_rejected(rejected)
                progress.advance(len(rows))

    async def _settle(
        self, rows: RowPage, since: datetime | None, progress: ProgressDisplay
    ) -> tuple[list[Became], Page]:
        """Ask about a page until nothing of it can change, or patience ends."""
        asked = [each.asked for each in rows]
        attempt = 0
        while True:
            page = await self._ask(asked, progress)
            if self._sent_at is None and page.answered_at is not None:
                self._sent_at = page.answered_at + CLOCKS_APART_MAX
            states = [
                judge_receipt(receipt, since, is_repeat=each.is_repeat)
                for each, receipt in zip(rows, page.receipts.receipts, strict=True)
            ]
            if self._left_seconds <= 0 or not self._is_open(rows, states, page):
                return states, page
            attempt += 1
            # Most of the time it is a moment, of which nobody needs to hear.
            if attempt > QUIET_ATTEMPTS:
                progress.wait("what was sent last is still being counted")
            # Nobody tells when the last of it is counted, so the board is asked again.
            await self._sleep(min(delays_seconds(attempt), LOOK_EVERY_SECONDS))

    def _is_open(self, rows: RowPage, states: Sequence[Became], page: Page) -> bool:
        """Tell whether anything that was sent of a page may not be applied yet."""
        complete = page.receipts.complete_up_to
        if self._sent_at and complete and complete >= self._sent_at:
            return False
        # Of a row that counted before, what was sent now may be on the way, and be
        # rejected because its content is another. Of ids that were made here it is not.
        return any(
            became is Became.ON_THE_WAY or (became in _EARLIER and each.row.has_own_id)
            for each, became in zip(rows, states, strict=True)
        )

    async def _ask(
        self, asked: Sequence[AskedEventV1], progress: ProgressDisplay
    ) -> Page:
        """Ask until there is an answer, or patience ends."""
        attempt = 0
        while True:
            try:
                return await self._ask_once(asked)
            except TransientError as error:
                if self._left_seconds <= 0:
                    raise
                attempt += 1
                progress.wait(str(error))
                # The back-off: a board that is away is not pressed to come back.
                await self._sleep(delays_seconds(attempt))

    async def _ask_once(
        self,
        asked: Sequence[AskedEventV1],
        seconds_max: float = REQUEST_SECONDS_MAX,
    ) -> Page:
        questions = self._questions
        return await ask_page(
            self._session, questions.url, questions.key, asked, seconds_max=seconds_max
        )

    async def _sleep(self, seconds: float) -> None:
        # All waits of a run share one bound, which `--wait` sets.
        began = time.monotonic()
        await asyncio.sleep(min(seconds, self._left_seconds))
        self._left_seconds -= time.monotonic() - began


def _first_row(plans: Sequence[Plan]) -> ReadyRow | None:
    with OrdinalCounter() as counter:
        rows = (row for plan in plans for row in EventReader(plan, counter).read())
        return next((row for row in rows if isinstance(row, ReadyRow)), None)


def _accepted(reader: EventReader, state: SentState) -> Iterator[ReadyRow]:
    """Go through the rows that were accepted in the last sending."""
    for row in reader.read():
        if isinstance(row, ReadyRow) and state.is_settled_in_this_run(
            row.source, row.id
        ):
            yield row


def _ask_about(row: ReadyRow) -> AskedEventV1:
    try:
        return AskedEventV1.model_validate(
            {"source": row.source, "id": row.id, "time": row.time}
        )
    except ValidationError:
        # Ingest reads instants that this reader does not; the time is not needed.
        return AskedEventV1(source=row.source, id=row.id)


def _cut_pages(rows: Iterable[ReadyRow], repeats: OrdinalCounter) -> Iterator[RowPage]:
    """Cut rows into pages, bounded by rows and by bytes, in order."""
    page: RowPage = []
    size = 0
    for row in rows:
        # Ids that were made here never repeat.
        ordinal = repeats.count((row.source, row.id))[0] if row.has_own_id else 1
        asked = _ask_about(row)
        row_size = len(asked.model_dump_json().encode()) + 1
        if page and (len(page) >= ASKED_MAX or size + row_size > PAGE_BYTES_MAX):
            yield page
            page, size = [], 0
        page.append(_AskedRow(row, asked, is_repeat=ordinal > 1))
        size += row_size
    if page:
        yield page
