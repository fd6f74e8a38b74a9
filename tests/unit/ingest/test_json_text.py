"""JSON taken apart strictly, one event at a time."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.admission import Refusal, RepeatedKey
from services.ingest.core.json_text import (
    EventBounds,
    NotABatchError,
    NotJsonError,
    decode_text,
    parse_batch,
    parse_event,
    parse_json,
    parse_line,
)

BOUNDS = EventBounds(bytes_max=1_000, nesting_max=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NOT_JSON = {
    "": "column 1: expecting value",
    "{": "column 2: expecting property name",
    "[1,]": "expecting value",
    "[1 2]": "column 4: expecting ',' delimiter",
    "[1] 2": "column 5: extra data",
    "[1": "expecting ',' delimiter",
    "[NaN]": "nan is not json",
    "[-Infinity]": "-infinity is not json",
    "[01]": "delimiter",
    '["\t"]': "invalid control character",
    '["\\x"]': "invalid \\escape",
    "[1]\n,": "line 2, column 1: extra data",
    "\ufeff[1]": "expecting value",
    "[" * 100_000: "nested too deeply",
    '{"a":' * 100_000: "nested too deeply",
    "[" + "9" * 5_000 + "]": "limit",
}


def batch(text: str) -> list[Any]:
    """Parse a batch to its end."""
    return list(parse_batch(text, BOUNDS))


def code(value: object) -> str:
    """Return the code of what must be a refusal."""
    assert isinstance(value, Refusal)
    return value.code.value


@given(st.lists(VALUES), st.sampled_from([None, 1]))
def test_batch_taken_apart_is_the_batch(values: list[Any], indent: int | None) -> None:
    """However it is written, as far as no event is too long or too deep."""
    text = json.dumps(values, indent=indent, ensure_ascii=indent is None)
    taken = list(parse_batch(f" {text}\n", EventBounds(10**6, 100)))
    assert taken == values


@pytest.mark.parametrize("text", NOT_JSON, ids=lambda text: text[:12])
def test_what_is_not_json_is_told_with_its_place(text: str) -> None:
    """The same words whether it is one event or a batch; never a recursion error."""
    with pytest.raises(NotJsonError) as of_event:
        parse_event(text, BOUNDS)
    with pytest.raises(NotJsonError) as of_batch:
        batch(text if text[:1] != "{" else f"[{text}")
    for caught in (of_event, of_batch):
        assert NOT_JSON[text] in str(caught.value).replace("column 3", "column 2")
        assert len(str(caught.value)) < 200


def test_events_before_a_fault_are_given_out() -> None:
    """The caller sends none of them; it decides on no event twice."""
    events = parse_batch('[{"a":1}, {"b":2}, oh]', BOUNDS)
    assert [next(events), next(events)] == [{"a": 1}, {"b": 2}]
    with pytest.raises(NotJsonError):
        next(events)


@pytest.mark.parametrize("text", ["{}", '"x"', "0", "-1", "true", "null", " {"])
def test_other_value_is_no_batch(text: str) -> None:
    """Told apart by how it begins, without building it."""
    with pytest.raises(NotABatchError):
        batch(text)


def test_repeated_key_stands_for_its_object() -> None:
    """At any depth; admission refuses it."""
    (event,) = batch('[{"a": {"b": 1, "c": 2, "b": 1}}]')
    assert isinstance(event["a"], RepeatedKey)
    assert event["a"].key == "b"
    assert isinstance(parse_json('{"a":1,"a":1}'), RepeatedKey)


def test_event_too_deep_or_too_large_touches_no_other() -> None:
    """Its place in the batch is a refusal."""
    deep, large = "[" * 5 + "]" * 5, json.dumps("x" * 1_000)
    before, *refused, after = batch(f'["a", {deep}, {large}, "z"]')
    assert (before, after) == ("a", "z")
    assert [code(each) for each in refused] == ["too_deep", "event_too_large"]


TAKEN = ('{"a":{"b":{"c":{}}}}', '{"a":[{"b":[]}]}', '[[[["x"]]]]', '"[[[[[[[["')
TOO_DEEP = ('{"a":{"b":{"c":{"d":{}}}}}', '{"x":[],"a":[[[[]]]]}')


@pytest.mark.parametrize("text", [*TAKEN, *TOO_DEEP])
def test_nesting_is_counted_with_the_event(text: str) -> None:
    """Arrays and objects alike; brackets within a string are none."""
    assert isinstance(parse_event(text, BOUNDS), Refusal) == (text in TOO_DEEP)


def test_line_without_an_event_is_refused_alone() -> None:
    """Whatever is wrong with it; the stream goes on."""
    assert parse_line(b'{"a": 1}', BOUNDS) == {"a": 1}
    assert code(parse_line(None, BOUNDS)) == "event_too_large"
    assert code(parse_line(b"\xff\xfe", BOUNDS)) == "not_json"
    assert code(parse_line(b'{"a": 1', BOUNDS)) == "not_json"
    assert code(parse_line(b"[" * 900_000, BOUNDS)) == "not_json"
    assert code(parse_line(b"[[[[[1]]]]]", BOUNDS)) == "too_deep"


@pytest.mark.parametrize("body", [b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5"])
def test_bytes_that_are_not_utf8_are_not_json(body: bytes) -> None:
    """Surrogates and over-long forms among them."""
    with pytest.raises(NotJsonError, match="byte 2 is not UTF-8"):
        decode_text(b'["' + body + b'"]')
