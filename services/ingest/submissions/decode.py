"""A Kafka record as a CloudEvent: structured, or binary with `ce_` headers.

Pure. What is no event at all becomes a refusal, like any other event that is not
admitted; JSON is read as strictly as at the door over HTTP.
"""

from collections.abc import Callable, Sequence
from typing import Final

from services.ingest.core.admission import Refusal, RepeatedKey
from services.ingest.core.json_text import (
    EventBounds,
    NotJsonError,
    decode_text,
    parse_data,
    parse_event,
    refuse_too_large,
)
from services.ingest.core.text import echo_name
from shared.errors import RefusalCode

STRUCTURED: Final = "application/cloudevents+json"
CLOUDEVENTS: Final = "application/cloudevents"
PREFIX: Final = "ce_"
Headers = Sequence[tuple[str, bytes | None]]
"""Kafka knows headers without a value; one says as much as an empty one."""


def decode_submission(
    value: bytes | None, headers: Headers, bounds: EventBounds
) -> object | Refusal:
    """Return what a record says, ready to be admitted or refused.

    A record with neither a content type nor `ce_` headers is taken for a structured
    event: many tools set none.

    Args:
        value: The record's; None is no event.
        headers: The record's.
        bounds: What an event may be.
    """
    try:
        said = {name.lower(): (raw or b"").decode() for name, raw in headers}
    except UnicodeDecodeError:
        return _refuse("a header of the record is not UTF-8")
    media_type = said.get("content-type", "").partition(";")[0].strip().lower()
    is_binary = not media_type.startswith(CLOUDEVENTS) and any(
        name.startswith(PREFIX) for name in said
    )
    if not is_binary and media_type not in ("", STRUCTURED, "application/json"):
        return _refuse(
            f"the record's content-type is {echo_name(media_type)}; send one event as "
            f"{STRUCTURED}, or {PREFIX} headers and its data"
        )
    try:
        parsed = _parse(value, bounds, parse_data if is_binary else parse_event)
    except NotJsonError as error:
        detail = f"the record's value is not JSON: {error}"
        return Refusal(None, RefusalCode.NOT_JSON, detail)
    if isinstance(parsed, Refusal) or not is_binary:
        return parsed
    return _join(headers, parsed)


def _join(headers: Headers, data: object) -> object:
    """Make the event that a binary record means."""
    event: dict[str, object] = {}
    for name, raw in headers:
        attribute = name.lower().removeprefix(PREFIX)
        if attribute == name.lower():
            continue
        # Said twice, it has no one meaning.
        is_new = attribute not in event
        value = (raw or b"").decode()
        event[attribute] = value if is_new else RepeatedKey(name[:64])
    event["data"] = data
    return event


def _parse(
    value: bytes | None,
    bounds: EventBounds,
    parse: Callable[[str, EventBounds], object],
) -> object:
    if value is None:
        raise NotJsonError("it is empty")
    if len(value) > bounds.bytes_max:
        # Known before it is a text, which is then not made.
        return refuse_too_large(bounds)
    return parse(decode_text(value), bounds)


def _refuse(detail: str) -> Refusal:
    return Refusal(None, RefusalCode.NOT_AN_OBJECT, detail)
