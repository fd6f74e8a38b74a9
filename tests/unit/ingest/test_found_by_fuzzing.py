"""What the fuzzers found, each in its plainest form; `make fuzz` looks for more."""

import json

import pytest
from starlette.datastructures import Headers

from services.ingest.core.admission import Refusal
from services.ingest.core.json_text import EventBounds, parse_batch, parse_line
from services.ingest.submissions.decode import decode_submission
from services.ingest.wire.modes import BatchBounds, Mode, events_of, mode_of
from services.ingest.wire.problems import ProblemError
from tests.unit.ingest.doors import code_of, make_event, refusal_of

BOUNDS = EventBounds(bytes_max=400, nesting_max=4)
PHONE = "0912345678"


def code(value: object) -> str:
    """Return the code of what must be a refusal."""
    assert isinstance(value, Refusal), value
    return value.code.value


def test_an_event_is_as_long_in_a_batch_as_on_a_line() -> None:
    """Counted in bytes; a batch is read as text, whose characters are fewer."""
    whole = json.dumps(make_event(subject="ệ" * 100), ensure_ascii=False)
    assert len(whole) < BOUNDS.bytes_max < len(whole.encode())
    (of_batch,) = parse_batch(f"[{whole}]", BOUNDS)
    assert code(of_batch) == code(parse_line(None, BOUNDS)) == "event_too_large"
    (fits,) = parse_batch(f"[{whole}]", EventBounds(len(whole.encode()), 4))
    assert isinstance(fits, dict)


def test_a_header_of_a_record_may_have_no_value() -> None:
    """Kafka has such headers; one that stopped the reader would stop every agency."""
    value = json.dumps(make_event()).encode()
    assert decode_submission(value, [("trace", None)], BOUNDS) == make_event()
    assert decode_submission(value, [("content-type", None)], BOUNDS) == make_event()
    read = decode_submission(b"{}", [("ce_id", None)], BOUNDS)
    assert read == {"id": "", "data": {}}
    assert code_of(make_event(id="")) == "bad_id"


def test_data_in_binary_mode_is_as_deep_as_within_its_event() -> None:
    """Over HTTP and on a topic; the event itself is one of the levels."""
    deep, deepest = b"[[[[1]]]]", b"[[[1]]]"
    headers = Headers(raw=[(b"ce-id", b"1")])
    batch = BatchBounds(events_max=1, event=BOUNDS)
    (refused,) = events_of(Mode.BINARY, deep, headers, batch)
    (taken,) = events_of(Mode.BINARY, deepest, headers, batch)
    assert code(refused) == "too_deep"
    assert taken == {"id": "1", "data": [[[1]]]}
    record = [("ce_id", b"1")]
    assert code(decode_submission(deep, record, BOUNDS)) == "too_deep"
    assert decode_submission(deepest, record, BOUNDS) == taken


@pytest.mark.parametrize("name", ["a\nb", "a\u202eb", "\ud800", "\ufeff"])
def test_an_answer_repeats_a_name_in_one_line(name: str) -> None:
    """A name that holds a repeated key, or a member that data does not have."""
    repeated = f'{{{json.dumps(name)}: {{"a": 1, "a": 2}}}}'
    refusal = refusal_of(parse_line(repeated.encode(), BOUNDS))
    assert refusal.code.value == "duplicate_key"
    data = {"locality": "15961", name: 1}
    assert code_of(make_event(data=data)) == "bad_data"


def test_what_is_cut_or_escaped_names_no_person_either() -> None:
    """A part of a longer number may look like one, and so may its escaped neighbour."""
    cut = "x" * 117 + "-" + PHONE + "123"
    assert refusal_of(make_event(id=cut)).id is None
    member = {"locality": "15961", "x" * 53 + "-" + PHONE + "123": 1}
    assert PHONE not in refusal_of(make_event(data=member)).detail
    for media_type in (PHONE, PHONE + "\U0002000b\0", "x" * 53 + "-" + PHONE + "123"):
        headers = [("content-type", media_type.encode())]
        refusal = decode_submission(b"{}", headers, BOUNDS)
        assert code(refusal) == "not_an_object"
        assert isinstance(refusal, Refusal)
        assert PHONE not in refusal.detail


@pytest.mark.parametrize(
    "value", [b"text/\x85plain", b"application/json; charset=\x85"]
)
def test_a_problem_repeats_a_header_in_one_line(value: bytes) -> None:
    """HTTP lets a field hold bytes that are no letters."""
    with pytest.raises(ProblemError) as caught:
        mode_of(Headers(raw=[(b"content-type", value)]))
    assert caught.value.status == 415
    assert caught.value.detail.isprintable()
