"""JSON as the contract takes it: strict, and bounded in depth and size.

A batch is taken apart one event at a time, so that what is held is the text and one
event, not all that a hostile text could build.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json.scanner import make_scanner
from typing import Final, NoReturn

from services.ingest.core.admission import Refusal, RepeatedKey
from shared.errors import RefusalCode

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_NEXT: Final = re.compile(r"[ \t\n\r]*([,\]])[ \t\n\r]*")
_CHARACTER_BYTES_MAX: Final = 4
# What a JSON value that is no array begins with.
_OTHER_VALUES: Final = frozenset('{"-0123456789tfnNI')


class NotJsonError(Exception):
    """The text is not JSON; the message says where and why."""


class NotABatchError(Exception):
    """The text is no JSON array."""


@dataclass(frozen=True, slots=True)
class EventBounds:
    """What one event may be.

    Attributes:
        bytes_max: Longest text of an event.
        nesting_max: Most arrays and objects inside one another, the event included.
    """

    bytes_max: int
    nesting_max: int


def decode_text(body: bytes) -> str:
    """Read bytes as UTF-8.

    Raises:
        NotJsonError: They are none.
    """
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise NotJsonError(f"byte {error.start} is not UTF-8") from None


def parse_json(text: str) -> object:
    """Parse one JSON value.

    Raises:
        NotJsonError: It is none, or nested beyond all bounds.
    """
    try:
        # Most texts are a value and nothing else; the decoder looks for more.
        value, end = _SCAN(text, 0)
        if end == len(text):
            return value
    except StopIteration:
        pass
    except (ValueError, RecursionError) as error:
        raise _not_json(error) from None
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise _not_json(error) from None


def parse_event(text: str, bounds: EventBounds) -> object:
    """Parse one event; it is a `Refusal` where it keeps to no bound.

    Raises:
        NotJsonError: The text is not JSON.
    """
    return _bounded(parse_json(text), text, 0, len(text), bounds)


def parse_data(text: str, bounds: EventBounds) -> object:
    """Parse the data of an event whose attributes stand elsewhere; see `parse_event`.

    Raises:
        NotJsonError: The text is not JSON.
    """
    return _bounded(parse_json(text), text, 0, len(text), bounds, levels_above=1)


def parse_line(line: bytes | None, bounds: EventBounds) -> object:
    """Parse the event on a line; it is a `Refusal` where the line has none.

    Args:
        line: Without its end; None stands for one that was too long to be kept.
        bounds: What an event may be.
    """
    if line is None:
        return refuse_too_large(bounds)
    try:
        return parse_event(decode_text(line), bounds)
    except NotJsonError as error:
        return Refusal(None, RefusalCode.NOT_JSON, f"the line is not JSON: {error}")


def parse_batch(text: str, bounds: EventBounds) -> Iterator[object]:
    """Parse a JSON array, one element at a time; see `parse_event` for each.

    Raises:
        NotJsonError: The text is not JSON; elements before that place were yielded.
        NotABatchError: The text is another JSON value.
    """
    try:
        yield from _elements(text, bounds)
    except (ValueError, RecursionError) as error:
        raise _not_json(error) from None


def _elements(text: str, bounds: EventBounds) -> Iterator[object]:
    at = _skip_space(text, 0)
    if text[at : at + 1] != "[":
        if text[at : at + 1] in _OTHER_VALUES:
            raise NotABatchError
        raise json.JSONDecodeError("Expecting value", text, at)
    at = _skip_space(text, at + 1)
    if text[at : at + 1] == "]":
        _require_end(text, at + 1)
        return
    while True:
        try:
            value, end = _SCAN(text, at)
        except StopIteration:
            raise json.JSONDecodeError("Expecting value", text, at) from None
        yield _bounded(value, text, at, end, bounds)
        following = _NEXT.match(text, end)
        if following is None:
            raise json.JSONDecodeError(
                "Expecting ',' delimiter", text, _skip_space(text, end)
            )
        at = following.end()
        if following[1] == "]":
            _require_end(text, at)
            return


def _require_end(text: str, at: int) -> None:
    at = _skip_space(text, at)
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _skip_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _bounded(
    value: object,
    text: str,
    begin: int,
    end: int,
    bounds: EventBounds,
    *,
    levels_above: int = 0,
) -> object:
    if _is_longer(text, begin, end, bounds.bytes_max):
        return refuse_too_large(bounds)
    # As few brackets as levels are allowed cannot nest deeper; strings have some too.
    brackets = text.count("{", begin, end) + text.count("[", begin, end)
    most = bounds.nesting_max - levels_above
    if brackets > most and _is_deeper(value, most):
        return Refusal(
            None,
            RefusalCode.TOO_DEEP,
            f"the event is nested more than {bounds.nesting_max} deep",
        )
    return value


def _is_longer(text: str, begin: int, end: int, bytes_max: int) -> bool:
    """Tell whether a part of a text has more than so many bytes as UTF-8."""
    length = end - begin
    # Nearly every event is so short that its characters need not be looked at.
    if length * _CHARACTER_BYTES_MAX <= bytes_max:
        return False
    return length > bytes_max or len(text[begin:end].encode()) > bytes_max


def refuse_too_large(bounds: EventBounds) -> Refusal:
    """Refuse an event that is longer than it may be."""
    return Refusal(
        None,
        RefusalCode.EVENT_TOO_LARGE,
        f"an event has at most {bounds.bytes_max:,} bytes",
    )


def _is_deeper(value: object, most: int) -> bool:
    """Tell whether more than `most` arrays and objects lie inside one another."""
    level: list[object] = [value] if isinstance(value, dict | list) else []
    depth = 0
    while level:
        depth += 1
        if depth > most:
            return True
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else _items(each))
            if isinstance(child, dict | list)
        ]
    return False


def _items(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def _not_json(error: ValueError | RecursionError) -> NotJsonError:
    if isinstance(error, json.JSONDecodeError):
        place = f"column {error.colno}"
        if "\n" in error.doc:
            place = f"line {error.lineno}, {place}"
        return NotJsonError(f"{place}: {error.msg.lower()}")
    if isinstance(error, RecursionError):
        return NotJsonError("it is nested too deeply")
    return NotJsonError(str(error).partition(";")[0].lower())


def _object(pairs: list[tuple[str, object]]) -> object:
    """Build an object; one with a repeated key has no meaning of its own."""
    built = dict(pairs)
    if len(built) == len(pairs):
        return built
    seen = set()
    for key, _ in pairs:
        if key in seen:
            return RepeatedKey(key[:64])
        seen.add(key)
    raise AssertionError


def _refuse_constant(name: str) -> NoReturn:
    message = f"{name} is not json"
    raise ValueError(message)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant
)
_SCAN: Final[Callable[[str, int], tuple[object, int]]] = make_scanner(
    _DECODER  # type: ignore[arg-type] # typeshed names the wrong class
)
