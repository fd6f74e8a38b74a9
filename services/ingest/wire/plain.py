"""The quick way to read an event: what is plain is decoded, all else is left alone.

Whatever this does not take outright goes the strict way (`core.json_text`), and gets
its answer there. So nothing here may take what the strict way refuses; that is all
that is asked of it, and a property test holds it to that.
"""

from typing import Annotated, Final, Literal

import msgspec

from services.ingest.core.admission import (
    AMOUNT_MAX,
    COUNT_MAX,
    ID_LENGTH_MAX,
    TEXT_LENGTH_MAX,
)
from services.ingest.core.json_text import (
    EventBounds,
    decode_text,
    parse_event,
    parse_line,
)
from services.ingest.core.precedents import ABSENT, PlainData, PlainEvent

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH_MAX)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=TEXT_LENGTH_MAX)]
Count = Annotated[int, msgspec.Meta(ge=1, le=COUNT_MAX)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)]

_QUOTES_PER_MEMBER: Final = 2
_QUOTES_PER_TEXT: Final = 4
# Of specversion, id, source, type, time and the locality; and of the name of data.
_QUOTES: Final = 6 * _QUOTES_PER_TEXT + _QUOTES_PER_MEMBER


class _Data(msgspec.Struct, PlainData, forbid_unknown_fields=True, gc=False):
    locality: Text
    indicator: Text = ""
    count: Count = ABSENT
    amount: Amount = ABSENT


class _Event(msgspec.Struct, PlainEvent, forbid_unknown_fields=True, gc=False):
    specversion: Literal["1.0"]
    id: Id
    source: Text
    type: Text
    time: Text
    data: _Data
    subject: Text = ""
    datacontenttype: Text = ""
    dataschema: Text = ""


_decoder: Final = msgspec.json.Decoder(_Event)
_splitter: Final = msgspec.json.Decoder(list[msgspec.Raw])


def read_event(text: bytes, bounds: EventBounds) -> object:
    """Read one event, the quick way or the strict one; see `parse_event`.

    Raises:
        NotJsonError: The text is not JSON.
    """
    plain = decode_plain(text, bounds.bytes_max)
    return parse_event(decode_text(text), bounds) if plain is None else plain


def read_line(line: bytes | None, bounds: EventBounds) -> object:
    """Read the event on a line, the quick way or the strict one; see `parse_line`."""
    plain = None if line is None else decode_plain(line, bounds.bytes_max)
    return parse_line(line, bounds) if plain is None else plain


def decode_plain(text: bytes, bytes_max: int) -> PlainEvent | None:
    """Decode an event that is plain.

    Args:
        text: JSON, or anything.
        bytes_max: The longest that an event may be.

    Returns:
        None where it is none, which says nothing about it.
    """
    if len(text) > bytes_max or b"\\" in text or not text.isascii():
        return None
    try:
        event = _decoder.decode(text)
    except msgspec.DecodeError:
        return None
    # Without escapes a quotation mark begins or ends a text. Of a member that stands
    # twice the decoder keeps one, but there are more marks than in one of each.
    return event if text.count(b'"') == _quotes(event) else None


def split_batch(body: bytes) -> list[msgspec.Raw] | None:
    """Cut a JSON array into its elements; None where it cannot be done quickly."""
    try:
        return _splitter.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None


def _quotes(event: _Event) -> int:
    quotes = _QUOTES
    data = event.data
    if data.count != ABSENT:
        quotes += _QUOTES_PER_MEMBER
    if data.amount != ABSENT:
        quotes += _QUOTES_PER_MEMBER
    for text in (data.indicator, event.subject, event.datacontenttype):
        if text:
            quotes += _QUOTES_PER_TEXT
    return quotes + _QUOTES_PER_TEXT if event.dataschema else quotes
