"""What a harness makes of a string of bytes, and how it holds a decision."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from services.ingest.core.admission import Admitted, Refusal, admit
from services.ingest.core.json_text import EventBounds
from services.ingest.core.personal import find_personal, kind_of
from services.ingest.core.precedents import PlainEvent, Precedents, members_of
from services.ingest.wire.modes import BatchBounds
from shared.events.adoption_v1_decode import decode_entry
from tests.unit.ingest.doors import make_door

# So small that a fuzzer comes to every bound within a few bytes.
BOUNDS: Final = EventBounds(bytes_max=512, nesting_max=5)
BATCH_BOUNDS: Final = BatchBounds(events_max=8, event=BOUNDS)
# What our HTTP parser takes for the name of a field.
_NAME: Final = re.compile(rb"[0-9a-z!#$%&'*+.^_`|~-]+")
DETAIL_LENGTH_MAX: Final = 1_000
ID_LENGTH_MAX: Final = 128

_DOOR: Final = make_door()
_PLAIN_DOOR: Final = Precedents().open(_DOOR)


@dataclass(frozen=True, slots=True)
class Message:
    """A head and a body.

    Attributes:
        first: The line before the head.
        headers: Names in lower case; a value that is None stands for none at all.
    """

    first: bytes
    headers: tuple[tuple[bytes, bytes | None], ...]
    body: bytes

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        """The headers that HTTP can carry."""
        return [
            (name, value)
            for name, value in self.headers
            if value is not None and _NAME.fullmatch(name)
        ]


def message_of(data: bytes) -> Message:
    """Read a line, then lines of a head as HTTP writes it, then a body."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        headers.append((name.strip().lower(), value.strip() if colon else None))
    return Message(first, tuple(headers), body)


def pieces_of(data: bytes) -> Iterator[bytes]:
    """Cut bytes as a network might: each piece's first byte said how long it is."""
    at = 0
    while at < len(data):
        size = data[at] % 61 + 1
        yield data[at : at + size]
        at += size


def decide(raw: object) -> Admitted | Refusal:
    """Decide on an event as the door does, and hold the decision against its rules."""
    decision = _decide(raw)
    if isinstance(decision, Refusal):
        _hold_refusal(decision)
    else:
        _hold_record(decision)
    return decision


def _decide(raw: object) -> Admitted | Refusal:
    if isinstance(raw, Refusal):
        return raw
    if not isinstance(raw, PlainEvent):
        return admit(raw, _DOOR)
    strict = admit(members_of(raw), _DOOR)
    # The first time there may be no precedent, the second time there is one.
    for _ in range(2):
        quick = _PLAIN_DOOR.admit(raw)
        if isinstance(quick, bytes):
            assert isinstance(strict, Admitted), "a precedent admits what is refused"
            assert quick == msgspec.json.encode(strict.record)
        else:
            assert verdict(quick) == verdict(strict)
    return strict


def verdict(decision: Admitted | Refusal) -> object:
    """Return of a decision what the sender or the log is told."""
    if isinstance(decision, Admitted):
        return decision.record
    return decision.id, decision.code, decision.detail


def _hold_refusal(refusal: Refusal) -> None:
    assert refusal.detail.isprintable(), refusal.detail
    assert len(refusal.detail) <= DETAIL_LENGTH_MAX, len(refusal.detail)
    assert kind_of(refusal.detail) is None, "the answer names a person"
    if refusal.id is not None:
        assert kind_of(refusal.id) is None, "the answer's id names a person"
    json.dumps([refusal.id, refusal.detail], ensure_ascii=False).encode()


def _hold_record(admitted: Admitted) -> None:
    """Whatever enters the log, aggregation reads; and it names nobody."""
    value = msgspec.json.encode(admitted.record)
    entry = decode_entry(value)
    assert entry is not None, "aggregation would reject what the door admitted"
    assert entry.id == admitted.id
    assert 1 <= len(admitted.id) <= ID_LENGTH_MAX
    assert find_personal(json.loads(value)) is None, "the log would name a person"
