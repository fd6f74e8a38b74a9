"""The fast decoder of `uptake.events`, for the one place where speed decides.

Reads what `shared.events.adoption_v1` describes; one contract suite holds the two to
the same answers. Its objects are handed to aggregation's core as they are: each has
every attribute, constant where its kind has no such member, so that a stray member of
the JSON can never be taken for one.
"""

from datetime import UTC, date, datetime
from typing import Annotated, ClassVar, Final, Literal

import msgspec

from shared.events.adoption_v1 import AMOUNT_MAX, COUNT_MAX, TEXT_LENGTH_MAX

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_LENGTH_MAX)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=1, le=COUNT_MAX)]
Figure = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)]


class CountedDataV1(msgspec.Struct, frozen=True, gc=False):
    """What happened: so many, worth so much (VND)."""

    count: Count
    amount: Figure = 0
    day: ClassVar[None] = None
    id: ClassVar[None] = None
    source: ClassVar[None] = None
    time: ClassVar[None] = None


class StatedDataV1(msgspec.Struct, frozen=True, gc=False):
    """A stated level or figure, and its day."""

    count: Figure
    day: date
    amount: ClassVar[int] = 0
    id: ClassVar[None] = None
    source: ClassVar[None] = None
    time: ClassVar[None] = None


class ReversedDataV1(msgspec.Struct, frozen=True, gc=False):
    """The original that a reversal voids."""

    id: Text
    source: Text
    time: Instant
    count: ClassVar[int] = 0
    amount: ClassVar[int] = 0
    day: ClassVar[None] = None


class _EnvelopeV1(msgspec.Struct, frozen=True, gc=False, tag_field="effect"):
    specversion: Literal["1.0"]
    id: Text
    source: Text
    type: Text
    time: Instant
    agency: Text
    localday: date


class _EffectV1(_EnvelopeV1, frozen=True, gc=False):
    indicator: Text
    sign: Literal[-1, 1]
    locality: Text
    validfrom: date
    data: CountedDataV1


class CountedV1(_EffectV1, frozen=True, gc=False, tag="count"):
    """Changes an indicator's count and amount."""

    effect: ClassVar[Literal["count"]] = "count"


class AmountV1(_EffectV1, frozen=True, gc=False, tag="amount"):
    """Changes an indicator's amount only."""

    effect: ClassVar[Literal["amount"]] = "amount"


class StatedV1(_EnvelopeV1, frozen=True, gc=False, tag="state"):
    """A stated level of a stock at a leaf."""

    indicator: Text
    locality: Text
    validfrom: date
    data: StatedDataV1
    effect: ClassVar[Literal["state"]] = "state"
    sign: ClassVar[int] = 0


class ControlV1(_EnvelopeV1, frozen=True, gc=False, tag="control"):
    """An agency's own figure for an indicator and day."""

    indicator: Text
    data: StatedDataV1
    effect: ClassVar[Literal["control"]] = "control"
    sign: ClassVar[int] = 0
    locality: ClassVar[None] = None
    validfrom: ClassVar[None] = None


class ReversedV1(_EnvelopeV1, frozen=True, gc=False, tag="reverse"):
    """A reversal."""

    data: ReversedDataV1
    effect: ClassVar[Literal["reverse"]] = "reverse"
    indicator: ClassVar[None] = None
    sign: ClassVar[int] = 0
    locality: ClassVar[None] = None
    validfrom: ClassVar[None] = None


EntryV1 = CountedV1 | AmountV1 | StatedV1 | ControlV1 | ReversedV1
_decoder: Final[msgspec.json.Decoder[EntryV1]] = msgspec.json.Decoder(EntryV1)


def decode_entry(value: bytes) -> EntryV1 | None:
    """Decode a record's value.

    Returns:
        None where the bytes are not an admitted event of version 1.
    """
    try:
        entry = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if entry.time.tzinfo is not UTC:
        return None
    reversed_at = entry.data.time
    if reversed_at is not None and reversed_at.tzinfo is not UTC:
        return None
    # The search costs next to nothing, and hardly a record goes on from here.
    if b"\\u0000" in value and _holds_nul(entry):
        return None
    return entry


def _holds_nul(entry: EntryV1) -> bool:
    """Tell whether a text holds NUL, which Postgres cannot store."""
    members = (*msgspec.structs.astuple(entry), *msgspec.structs.astuple(entry.data))
    return any(isinstance(member, str) and "\0" in member for member in members)
