"""Our reading of JSON and of lines beside readers that others wrote."""

import json
import re
from typing import Final, NoReturn

import msgspec

from services.ingest.core.admission import Refusal, RepeatedKey
from services.ingest.core.json_text import (
    NotABatchError,
    NotJsonError,
    decode_text,
    parse_batch,
    parse_event,
    parse_json,
)
from services.ingest.core.lines import LineCutter
from shared.errors import RefusalCode
from tests.fuzz.inputs import BOUNDS, pieces_of

LINE_BYTES_MAX: Final = 24
_OF_OUR_OWN: Final = ("nested too deeply", "exceeds the limit")
_OF_THEIRS: Final = ("out of range", "recursion", "nested")
# msgspec reads no half of a character, by whatever words it says so.
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class Pairs:
    """An object as the standard library read it, repeated keys and all."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        self.pairs = pairs
        keys = [key for key, _ in pairs]
        self.repeated = {key[:64] for key in keys if keys.count(key) > 1}


def read_json(data: bytes) -> None:
    """JSON is what the standard library and msgspec say, value for value.

    Raises:
        AssertionError: It is not.
    """
    try:
        text = decode_text(data)
    except NotJsonError:
        assert "\ufffd" in data.decode(errors="replace")
        return
    refused = ""
    ours: object = None
    try:
        ours = parse_json(text)
    except NotJsonError as error:
        refused = str(error)
        assert refused.isprintable()
    if any(limit in refused for limit in _OF_OUR_OWN):
        return
    _hold_against_msgspec(data, refused)
    try:
        theirs = json.loads(text, object_pairs_hook=Pairs, parse_constant=_refuse)
    except (ValueError, RecursionError):
        assert refused, "what is no JSON was read"
        _hold_no_batch(text)
        return
    assert not refused, refused
    hold_same(ours, theirs)
    _hold_bounds(parse_event(text, BOUNDS), theirs, text)
    _hold_batch(text, theirs)


def cut_lines(data: bytes) -> None:
    """Lines are the same however the bytes come, and those of a plain split.

    Raises:
        AssertionError: They are not.
    """
    cutter = LineCutter(LINE_BYTES_MAX)
    found = [line for piece in pieces_of(data) for line in cutter.feed(piece)]
    found += cutter.finish()
    expected: list[tuple[int, bytes | None]] = []
    lines = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_BYTES_MAX:
            expected.append((number, None))
            continue
        content = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if content := content.strip(b" \t\r"):
            expected.append((number, content))
    assert [(line.number, line.content) for line in found] == expected
    assert cutter.number == len(lines) - (not lines[-1])


def hold_same(ours: object, theirs: object) -> None:
    """Hold a value of ours against one of the standard library, type for type."""
    waiting = [(ours, theirs)]
    while waiting:
        mine, other = waiting.pop()
        if isinstance(other, Pairs):
            if isinstance(mine, RepeatedKey):
                assert mine.key in other.repeated
                continue
            assert isinstance(mine, dict)
            assert not other.repeated
            assert list(mine) == [key for key, _ in other.pairs]
            waiting += [(mine[key], value) for key, value in other.pairs]
        elif isinstance(other, list):
            assert isinstance(mine, list)
            assert len(mine) == len(other)
            waiting += zip(mine, other, strict=True)
        else:
            assert type(mine) is type(other)
            assert mine == other


def _hold_against_msgspec(data: bytes, refused: str) -> None:
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        said = str(error).lower()
        is_theirs = _HALF.search(data) or any(bound in said for bound in _OF_THEIRS)
        assert refused or is_theirs, said
    else:
        assert not refused, refused


def _hold_no_batch(text: str) -> None:
    try:
        list(parse_batch(text, BOUNDS))
    except NotJsonError:
        pass
    except NotABatchError:
        assert not text.lstrip(" \t\r\n").startswith("[")
    else:
        raise AssertionError("a batch was read that is no JSON")


def _hold_batch(text: str, theirs: object) -> None:
    try:
        elements = list(parse_batch(text, BOUNDS))
    except NotABatchError:
        assert not isinstance(theirs, list)
        return
    assert isinstance(theirs, list)
    assert len(elements) == len(theirs)
    for ours, other in zip(elements, theirs, strict=True):
        _hold_bounds(ours, other, text)


def _hold_bounds(ours: object, theirs: object, text: str) -> None:
    """An event is refused for its size or depth if, and only if, it is beyond."""
    if not isinstance(ours, Refusal):
        assert _depth(theirs) <= BOUNDS.nesting_max
        hold_same(ours, theirs)
    elif ours.code is RefusalCode.TOO_DEEP:
        assert _depth(theirs) > BOUNDS.nesting_max
    else:
        assert ours.code is RefusalCode.EVENT_TOO_LARGE
        assert len(text.encode()) > BOUNDS.bytes_max


def _depth(value: object) -> int:
    """Count how many arrays and objects lie inside one another at most."""
    depth = 0
    level = [value]
    while level := [
        each
        for each in level
        if isinstance(each, list) or (isinstance(each, Pairs) and not each.repeated)
    ]:
        depth += 1
        level = [child for each in level for child in _children(each)]
    return depth


def _children(value: object) -> list[object]:
    if isinstance(value, Pairs):
        return [child for _, child in value.pairs]
    assert isinstance(value, list)
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
