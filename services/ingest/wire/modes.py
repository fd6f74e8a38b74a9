"""The forms in which events come: told apart by the head, taken apart from the body."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from msgspec import Raw
from starlette.datastructures import Headers

from services.ingest.core.admission import Refusal
from services.ingest.core.binary_mode import event_of, is_binary
from services.ingest.core.json_text import (
    EventBounds,
    NotABatchError,
    NotJsonError,
    decode_text,
    parse_batch,
    parse_data,
)
from services.ingest.core.text import echo_name
from services.ingest.wire.plain import read_event, split_batch
from services.ingest.wire.problems import ProblemError

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
STREAM: Final = "application/x-ndjson"
_JSON: Final = "application/json"
# An honest event has about a dozen; a value takes many times the memory of its text.
_VALUES_PER_EVENT_MAX: Final = 64
# As many at most are cut apart before any is read.
_VALUES_PER_PLAIN_EVENT_MAX: Final = 16


class Mode(Enum):
    """How a request carries events."""

    ONE = auto()
    BINARY = auto()
    BATCH = auto()
    STREAM = auto()


_MODES: Final = {STRUCTURED: Mode.ONE, BATCH: Mode.BATCH, STREAM: Mode.STREAM}


@dataclass(frozen=True, slots=True)
class BatchBounds:
    """What a request that is read as a whole may hold."""

    events_max: int
    event: EventBounds


def mode_of(headers: Headers) -> Mode:
    """Tell by the head how events are carried.

    Raises:
        ProblemError: 415, in no way that is taken.
    """
    # Two content types are none that is taken, not the first of them.
    content_type = ",".join(headers.getlist("content-type"))
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    _require_utf8(parameters)
    mode = _MODES.get(media_type)
    if mode is not None:
        return mode
    is_json = media_type in ("", _JSON) or media_type.endswith("+json")
    if is_json and not _is_cloudevents(media_type) and is_binary(headers.raw):
        return Mode.BINARY
    raise ProblemError(
        415,
        "media-type",
        "The body's media type is not taken",
        f"content-type is {echo_name(media_type) or 'absent'}; send {STRUCTURED} "
        f"for one event, {BATCH} for an array, {STREAM} for one event a line, or "
        f"{_JSON} for the data of an event whose attributes are ce- header fields",
        headers={"accept": ", ".join((*_MODES, _JSON))},
    )


def events_of(
    mode: Mode, body: bytes, headers: Headers, bounds: BatchBounds
) -> Iterator[object]:
    """Take a body apart, one event at a time; some are `Refusal`s already.

    Raises:
        ProblemError: It is none, or too much. Events before that place were yielded.
    """
    try:
        if mode is Mode.BINARY:
            data = parse_data(decode_text(body), bounds.event) if body else None
            is_refused = isinstance(data, Refusal)
            yield data if is_refused else event_of(headers.raw, data)
        elif mode is Mode.ONE:
            yield read_event(body, bounds.event)
        else:
            yield from _batch(body, bounds)
    except NotJsonError as error:
        raise ProblemError(
            400, "not-json", "The body is not JSON", str(error)
        ) from None


def _batch(body: bytes, bounds: BatchBounds) -> Iterator[object]:
    values_max = bounds.events_max * _VALUES_PER_EVENT_MAX
    if body.count(b",") > values_max:
        raise _too_long(f"more than {values_max:,} values", bounds)
    text = decode_text(body)
    elements = _elements_of(body, bounds)
    if elements:
        yield from _read_each(elements, text, bounds.event)
        return
    count = 0
    try:
        for event in parse_batch(text, bounds.event):
            count += 1
            if count > bounds.events_max:
                raise _too_long(f"more than {bounds.events_max:,} events", bounds)
            yield event
    except NotABatchError:
        raise ProblemError(
            400,
            "not-a-batch",
            "The body is no batch",
            f"{BATCH} is a JSON array of events; one event is {STRUCTURED}",
        ) from None
    if count == 0:
        raise empty()


def _elements_of(body: bytes, bounds: BatchBounds) -> list[Raw]:
    """Cut a body into what may be events; nothing where that must be done strictly."""
    if body.count(b",") > bounds.events_max * _VALUES_PER_PLAIN_EVENT_MAX:
        return []
    elements = split_batch(body) or []
    return elements if len(elements) <= bounds.events_max else []


def _read_each(
    elements: Sequence[Raw], text: str, bounds: EventBounds
) -> Iterator[object]:
    for element in elements:
        try:
            yield read_event(bytes(element), bounds)
        except NotJsonError:
            # Said once more, with its place in the whole body.
            for _ in parse_batch(text, bounds):
                pass
            raise


def empty() -> ProblemError:
    """Say that a request holds no event."""
    return ProblemError(
        400, "empty-batch", "The batch is empty", "send at least one event"
    )


def _too_long(what: str, bounds: BatchBounds) -> ProblemError:
    return ProblemError(
        413,
        "batch-too-long",
        "The batch has too many events",
        f"{what}; send at most {bounds.events_max:,} events at a time, or {STREAM}",
    )


def _is_cloudevents(media_type: str) -> bool:
    return media_type.startswith("application/cloudevents")


def _require_utf8(parameters: str) -> None:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() != "charset":
            continue
        charset = value.strip().strip('"').lower()
        if charset not in ("utf-8", "utf8", "us-ascii"):
            raise ProblemError(
                415,
                "charset",
                "The body's character set is not taken",
                f"charset is {echo_name(charset) or 'absent'}; send UTF-8",
            )
