"""The fast decoder of `uptake.events`, for the one place where speed decides.

Reads what `shared.events.adoption_v1` describes; one contract suite holds the two to
the same answers. Its objects are handed to aggregation's core as they are.
"""

from datetime import date, datetime
from typing import Annotated, Final, Literal

import msgspec

from shared.events.adoption_v1 import AMOUNT_MAX, COUNT_MAX

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class DataV1(msgspec.Struct, frozen=True, gc=False):
    """Data of every kind of event; what a kind does not have keeps its default."""

    count: int = 1
    amount: int = 0
    day: date | None = None
    id: Text | None = None
    source: Text | None = None
    time: Instant | None = None


class EntryV1(msgspec.Struct, frozen=True, gc=False):
    """One admitted event."""

    specversion: Literal["1.0"]
    id: Text
    source: Text
    type: Text
    time: Instant
    agency: Text
    effect: Literal["count", "amount", "state", "control", "reverse"]
    localday: date
    data: DataV1
    indicator: Text | None = None
    sign: Literal[-1, 0, 1] = 0
    locality: Text | None = None
    validfrom: date | None = None


_decoder: Final = msgspec.json.Decoder(EntryV1)


def decode_entry(value: bytes) -> EntryV1 | None:
    """Decode a record's value.

    Returns:
        None where the bytes are not an admitted event of version 1.
    """
    try:
        entry = _decoder.decode(value)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError):
        return None
    return entry if _is_whole(entry) else None


def _is_whole(entry: EntryV1) -> bool:
    """Tell whether an entry has everything that its effect needs, within bounds."""
    data = entry.data
    if entry.effect in ("count", "amount"):
        return (
            1 <= data.count <= COUNT_MAX
            and 0 <= data.amount <= AMOUNT_MAX
            and entry.sign != 0
            and entry.indicator is not None
            and entry.locality is not None
            and entry.validfrom is not None
        )
    if entry.effect == "reverse":
        return None not in (data.id, data.source, data.time)
    return (
        0 <= data.count <= AMOUNT_MAX
        and data.day is not None
        and entry.indicator is not None
        and (entry.effect == "control" or None not in (entry.locality, entry.validfrom))
    )
