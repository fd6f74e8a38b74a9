"""A Kafka record as a CloudEvent: structured, or binary with `ce_` headers.

Pure. What is no event at all becomes a refusal, like any other event that is not
admitted; JSON is read as strictly as at the door over HTTP.
"""

import json
from collections.abc import Sequence
from typing import Final, NoReturn

from services.ingest.core.admission import Refusal, RepeatedKey
from shared.errors import RefusalCode

STRUCTURED: Final = "application/cloudevents+json"
CLOUDEVENTS: Final = "application/cloudevents"
PREFIX: Final = "ce_"
BYTES_MAX: Final = 64 * 1024
Headers = Sequence[tuple[str, bytes]]


class _NotJsonError(ValueError):
    """A value that is no JSON text; the message says where."""


def decode_submission(value: bytes | None, headers: Headers) -> object | Refusal:
    """Return what a record says, ready to be admitted or refused.

    A record with neither a content type nor `ce_` headers is taken for a structured
    event: many tools set none.
    """
    try:
        said = {name.lower(): raw.decode() for name, raw in headers}
    except UnicodeDecodeError:
        return _refuse("a header of the record is not UTF-8")
    media_type = said.get("content-type", "").partition(";")[0].strip().lower()
    is_binary = not media_type.startswith(CLOUDEVENTS) and any(
        name.startswith(PREFIX) for name in said
    )
    if not is_binary and media_type not in ("", STRUCTURED, "application/json"):
        return _refuse(
            f"the record's content-type is {media_type[:64]!r}; send one event as "
            f"{STRUCTURED}, or {PREFIX} headers and its data"
        )
    try:
        parsed = _parse(value)
    except _NotJsonError as error:
        return _refuse(f"the record's value is not JSON: {error}")
    return _join(headers, parsed) if is_binary else parsed


def _join(headers: Headers, data: object) -> object:
    """Make the event that a binary record means."""
    event: dict[str, object] = {}
    for name, raw in headers:
        attribute = name.lower().removeprefix(PREFIX)
        if attribute == name.lower():
            continue
        # Said twice, it has no one meaning.
        is_new = attribute not in event
        event[attribute] = raw.decode() if is_new else RepeatedKey(name[:64])
    event["data"] = data
    return event


def _parse(value: bytes | None) -> object:
    if value is None:
        raise _NotJsonError("it is empty")
    if len(value) > BYTES_MAX:
        raise _NotJsonError(f"it has {len(value):,} bytes; at most {BYTES_MAX:,}")
    try:
        return json.loads(
            value.decode(), object_pairs_hook=_object, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        raise _NotJsonError(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _NotJsonError(
            f"line {error.lineno}, column {error.colno}: {error.msg.lower()}"
        ) from None
    except RecursionError:
        raise _NotJsonError("it is nested too deeply") from None
    except ValueError as error:
        raise _NotJsonError(str(error).partition(";")[0].lower()) from None


def _object(pairs: list[tuple[str, object]]) -> object:
    """Build an object; one with a repeated key has no meaning of its own."""
    built = dict(pairs)
    if len(built) == len(pairs):
        return built
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return RepeatedKey(key[:64])
        seen.add(key)
    raise AssertionError


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not json"
    raise ValueError(message)


def _refuse(detail: str) -> Refusal:
    return Refusal(None, RefusalCode.NOT_AN_OBJECT, detail)
