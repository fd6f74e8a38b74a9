"""Redriving and dropping rejected records: the verbs of `uptake rejected` that write.

Delivery: at least once. A record is marked as redriven only after the log confirmed
it, so a crash in between redrives it again, which is harmless: aggregation counts each
(source, id) once, and a record that is rejected again lands on `uptake.rejected`
again, with its new place.
"""

import argparse
import sys
import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal

from services.ingest.publisher import LoggedBytes, LogPublisher
from shared.clock import Clock
from shared.errors import KEPT_CODES, FatalError, RejectionCode, TransientError
from shared.events.rejected_v1 import RejectedV1
from shared.events.settled_v1 import (
    REASON_LENGTH_MAX,
    DroppedDataV1,
    DroppedV1,
    RedrivenDataV1,
    RedrivenV1,
    RejectedState,
)
from shared.events.topics import EVENTS
from shared.kafka.rejected import (
    RejectedFilter,
    RejectedIndex,
    open_rejected,
    parse_coordinates,
    place_of,
    read_index,
    record_of,
)
from shared.settings import KafkaSettings

VERBS: Final = ("redrive", "drop")
SOURCE: Final = "/uptake/ingest"
ACK_TIMEOUT_SECONDS: Final = 30.0
CHUNK_RECORDS_MAX: Final = 100
CHUNK_BYTES_MAX: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done with which rejected records.

    Attributes:
        records: Ids of records; empty means all open ones that the others name.
        records_max: Most records to redrive or drop; None for no limit.
        reason: Why they are dropped; empty when they are redriven.
    """

    verb: Literal["redrive", "drop"]
    records: frozenset[str]
    code: str | None
    agency: str | None
    records_max: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Chosen:
    record: str
    logged: LoggedBytes


def parse_order(arguments: Sequence[str]) -> Order:
    """Read the command line; ends the process with 2 where it makes no sense.

    Args:
        arguments: The verb and what follows it.

    Raises:
        FatalError: Coordinates or reason are not what they have to be.
    """
    verb: Literal["redrive", "drop"] = "drop" if arguments[0] == "drop" else "redrive"
    parser = _make_parser(verb)
    options = parser.parse_args(arguments[1:])
    if not (options.records or options.code or options.agency or options.all):
        parser.error("say which records: PARTITION/OFFSET, --code, --agency or --all")
    if options.records and (options.code or options.agency or options.all):
        parser.error("name records, or choose them by options, not both")
    return Order(
        verb=verb,
        records=frozenset(parse_coordinates(options.records)),
        code=options.code,
        agency=options.agency,
        records_max=options.limit,
        reason=_check_reason(options.reason) if verb == "drop" else "",
    )


def _make_parser(verb: str) -> argparse.ArgumentParser:
    abouts = {
        "redrive": "Send rejected records to the log again, bytes unchanged; each is "
        "judged anew, and what counted already counts no second time.",
        "drop": "Mark rejected records as given up; nothing is deleted.",
    }
    parser = argparse.ArgumentParser(
        prog=f"uptake rejected {verb}",
        description=f"{abouts[verb]} Reads UPTAKE_KAFKA_BOOTSTRAP_SERVERS.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "records", nargs="*", metavar="PARTITION/OFFSET", help="where a record stood"
    )
    # What was refused in an agency's own topic is mended and sent by its agency.
    codes = KEPT_CODES if verb == "drop" else sorted(RejectionCode)
    parser.add_argument("--code", choices=codes, help="all open ones of this code")
    parser.add_argument("--agency", metavar="ID", help="all open ones of this agency")
    parser.add_argument("--all", action="store_true", help="all open ones")
    parser.add_argument(
        "--limit", type=_positive, metavar="N", help="at most so many, oldest first"
    )
    if verb == "drop":
        parser.add_argument(
            "--reason", required=True, metavar="TEXT", help="why; kept with the record"
        )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "not 1 or more"
        raise argparse.ArgumentTypeError(message)
    return number


def _check_reason(text: str) -> str:
    reason = text.strip()
    if not 0 < len(reason) <= REASON_LENGTH_MAX or any(
        unicodedata.category(letter) in {"Cc", "Cs"} for letter in reason
    ):
        raise FatalError(
            f"--reason: 1 to {REASON_LENGTH_MAX} characters, none of them a control "
            "character"
        )
    return reason


class SettlingJob:
    """Redrives or drops what an order names, in the order of `uptake.rejected`."""

    def __init__(self, settings: KafkaSettings, order: Order, clock: Clock) -> None:
        self._settings = settings
        self._order = order
        self._clock = clock
        self._settled = 0
        self._without_bytes = 0

    async def run(self) -> int:
        """Do it, saying each record in a line.

        Returns:
            Exit status: 1 if records could not be redriven because the topic does not
            hold their bytes, else 0.

        Raises:
            FatalError: A record is not there, or Kafka is away; what was done so far
                is marked, and doing it again is harmless.
        """
        try:
            with RejectedIndex() as index:
                await read_index(self._settings, index)
                self._check_named(index)
                async with _connected(self._settings) as publisher:
                    await self._settle_all(index, publisher)
        except TransientError as error:
            raise FatalError(
                f"{error}; {self._settled:,} done so far, do it again for the rest: "
                "a record that is sent twice counts once"
            ) from error
        _say(
            f"{self._done} {self._settled:,} of {self._settled + self._without_bytes:,}"
        )
        return 1 if self._without_bytes else 0

    @property
    def _done(self) -> str:
        return "redriven" if self._order.verb == "redrive" else "dropped"

    def _check_named(self, index: RejectedIndex) -> None:
        for record in sorted(self._order.records):
            row = index.find(record)
            if row is None:
                raise FatalError(
                    f"no rejected record {place_of(record)}; `uptake rejected list` "
                    "lists them"
                )
            if self._order.verb == "drop" and row.state is RejectedState.REDRIVEN:
                raise FatalError(
                    f"{place_of(record)} was redriven and stands at {row.sent_to} of "
                    "the log; if it was rejected there again, drop that one"
                )

    def _is_wanted(self, index: RejectedIndex, record: str) -> bool:
        order = self._order
        if order.records:
            row = index.find(record) if record in order.records else None
            # Whoever names a dropped record has changed his mind.
            return row is not None and row.state not in self._ends
        wanted = RejectedFilter(order.code, order.agency, state=RejectedState.OPEN)
        return index.find(record, wanted) is not None

    @property
    def _ends(self) -> frozenset[RejectedState]:
        if self._order.verb == "redrive":
            return frozenset({RejectedState.REDRIVEN})
        return frozenset({RejectedState.REDRIVEN, RejectedState.DROPPED})

    async def _settle_all(self, index: RejectedIndex, publisher: LogPublisher) -> None:
        chunk: dict[str, _Chosen] = {}
        left = self._order.records_max
        async with open_rejected(self._settings) as messages:
            async for message in messages:
                if left is not None and left <= len(chunk):
                    break
                if not isinstance(message, RejectedV1) or message.id in chunk:
                    continue
                chosen = self._choose(index, message)
                if chosen is not None:
                    chunk[message.id] = chosen
                if _is_full(chunk):
                    left = None if left is None else left - len(chunk)
                    await self._settle(index, publisher, list(chunk.values()))
                    chunk.clear()
        await self._settle(index, publisher, list(chunk.values()))

    def _choose(self, index: RejectedIndex, message: RejectedV1) -> _Chosen | None:
        if not self._is_wanted(index, message.id):
            return None
        record = record_of(message.data)
        if self._order.verb == "drop":
            key, value = record or (None, b"")
        elif message.data.topic != EVENTS and not self._order.records:
            # Refused at the door; nothing that we could send would be taken.
            return None
        elif record is None or message.data.topic != EVENTS:
            self._without_bytes += 1
            _say(f"{place_of(message.id)}  not redriven: {_why_not(message)}")
            return None
        else:
            key, value = record
        return _Chosen(message.id, LoggedBytes(key, value, message.data.partition))

    async def _settle(
        self, index: RejectedIndex, publisher: LogPublisher, chosen: Sequence[_Chosen]
    ) -> None:
        """Send, then mark: in this order, so that a crash forgets no record."""
        if not chosen:
            return
        marks: list[RedrivenV1 | DroppedV1]
        if self._order.verb == "redrive":
            places = await publisher.append_again([each.logged for each in chosen])
            marks = [
                self._redriven(each.record, place)
                for each, place in zip(chosen, places, strict=True)
            ]
        else:
            marks = [self._dropped(each.record) for each in chosen]
        await publisher.mark(marks)
        for mark in marks:
            # Its message may stand on the topic twice.
            index.add(mark)
            self._settled += 1
            _say(_describe(mark))

    def _redriven(self, record: str, place: tuple[int, int]) -> RedrivenV1:
        partition, offset = place
        return RedrivenV1(
            id=f"{record}/redriven/{partition}/{offset}",
            source=SOURCE,
            time=self._clock.now(),
            data=RedrivenDataV1(
                record=record, topic=EVENTS, partition=partition, offset=offset
            ),
        )

    def _dropped(self, record: str) -> DroppedV1:
        return DroppedV1(
            id=f"{record}/dropped",
            source=SOURCE,
            time=self._clock.now(),
            data=DroppedDataV1(record=record, reason=self._order.reason),
        )


@asynccontextmanager
async def _connected(settings: KafkaSettings) -> AsyncIterator[LogPublisher]:
    publisher = LogPublisher(settings, ack_timeout_seconds=ACK_TIMEOUT_SECONDS)
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


def _is_full(chunk: dict[str, _Chosen]) -> bool:
    bytes_held = sum(len(each.logged.value) for each in chunk.values())
    return len(chunk) >= CHUNK_RECORDS_MAX or bytes_held >= CHUNK_BYTES_MAX


def _describe(mark: RedrivenV1 | DroppedV1) -> str:
    record = place_of(mark.data.record)
    if isinstance(mark, DroppedV1):
        return f"{record}  dropped"
    return f"{record}  redriven to {mark.data.partition}/{mark.data.offset}"


def _why_not(message: RejectedV1) -> str:
    if message.data.topic != EVENTS:
        return "it was refused at the door; its agency mends it and sends it again"
    return "its bytes are not kept"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
