"""What is not plain in any way is left to the strict way, whole."""

import json

import pytest

from services.ingest.wire.plain import decode_plain
from tests.unit.ingest.doors import make_data, make_event

BYTES_MAX = 2_048
EVENT = json.dumps(make_event())


def test_ordinary_event_is_plain() -> None:
    """Or nothing below would say anything."""
    assert decode_plain(EVENT.encode(), BYTES_MAX) is not None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(EVENT.replace("e-1", r"e\\1"), id="a backslash"),
        pytest.param(EVENT.replace("e-1", r"e\u0022,1"), id="a quotation mark"),
        pytest.param(EVENT.replace("e-1", r"e\u0061"), id="a letter, escaped"),
        pytest.param(EVENT.replace("e-1", "e-đ"), id="a letter beyond ASCII"),
        pytest.param(EVENT[:-1] + ', "id": "e-1"}', id="a member twice"),
        pytest.param(EVENT[:-1] + ', "more": 1}', id="another member"),
        pytest.param(EVENT + " " * BYTES_MAX, id="too long"),
        pytest.param(json.dumps(make_event(specversion="0.3")), id="another version"),
        pytest.param(json.dumps(make_event(id="")), id="no id"),
        pytest.param(json.dumps(make_event(id="e" * 129)), id="a long id"),
        pytest.param(json.dumps(make_data(count=0)), id="a count of nothing"),
        pytest.param(json.dumps(make_data(count=1.0)), id="a count with a fraction"),
        pytest.param(json.dumps(make_data(count="1")), id="a count as text"),
        pytest.param(json.dumps(make_data(count=True)), id="a count that is none"),
        pytest.param(json.dumps(make_data(count=10**9 + 1)), id="a huge count"),
        pytest.param(json.dumps(make_data(amount=-1)), id="an amount below zero"),
        pytest.param(json.dumps(make_data(other=1)), id="another member of data"),
        pytest.param(f"[{EVENT}]", id="an array"),
        pytest.param(EVENT + "x", id="something behind it"),
    ],
)
def test_event_that_is_not_plain_is_left_alone(text: str) -> None:
    """Each would be understood, or be cut, otherwise than the strict way does."""
    assert decode_plain(text.encode(), BYTES_MAX) is None
