"""Events whose attributes stand in header fields."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.admission import Refusal
from services.ingest.core.binary_mode import event_of, is_binary

SAFE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in ' "%')


def attributes(*fields: tuple[str, bytes]) -> Any:  # noqa: ANN401 -- an event or a refusal
    """Read header fields."""
    return event_of([(name.encode(), value) for name, value in fields], None)


@given(st.text())
def test_encoded_value_is_read_back(text: str) -> None:
    """As the CloudEvents binding of HTTP says, and the SDKs write it."""
    safe = text.encode(errors="replace").decode()
    assert attributes(("ce-id", quote(safe, safe=SAFE).encode())) == {"id": safe}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"/vn/38/bank", "/vn/38/bank"),
        (b"", ""),
        (b"  a b\t", "a b"),
        (b'"a \\"b\\\\"', 'a "b\\'),
        (b'"Th%C3%A0nh ph%E1%BB%91"', "Thành phố"),
        (b'"a', '"a'),
        (b"50%25", "50%"),
        (b"%2541", "%41"),
        (b"%00", "\0"),
    ],
)
def test_value_is_unquoted_then_decoded_once(value: bytes, text: str) -> None:
    """What the text may hold is admission's to say."""
    assert attributes(("ce-id", value)) == {"id": text}


@pytest.mark.parametrize(
    "value", [b"\xc3\xa0", b"a\x07", b"%", b"50%", b"%zz", b"%ff", b"%ED%A0%80"]
)
def test_value_that_would_have_to_be_guessed_is_refused(value: bytes) -> None:
    """Naming the field, never the value."""
    refusal = attributes(("ce-subject", value))
    assert isinstance(refusal, Refusal)
    assert refusal.code.value == "bad_header"
    assert "ce-subject" in refusal.detail
    assert refusal.detail.isascii()


def test_attribute_in_two_fields_is_refused() -> None:
    """Like a key that stands twice."""
    refusal = attributes(("ce-id", b"1"), ("ce-id", b"1"))
    assert isinstance(refusal, Refusal)
    assert refusal.code.value == "duplicate_key"


def test_data_is_the_body_and_nothing_else() -> None:
    """Not a field that calls itself so; other fields are no attributes."""
    fields = [(b"ce-data", b"x"), (b"ce-id", b"1"), (b"host", b"y")]
    assert event_of(fields, {"count": 1}) == {"id": "1", "data": {"count": 1}}
    assert is_binary(fields)
    assert not is_binary([(b"host", b"ce-id"), (b"accept", b"ce-")])
