"""Submissions by Kafka: the same checks as HTTP, and every refusal told."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ingest.core.admission import Admitted, Refusal, admit, open_door
from services.ingest.core.json_text import EventBounds
from services.ingest.submissions.decode import decode_submission
from services.ingest.submissions.judge import Judged, Submission, judge_submissions
from tests.unit.ingest.doors import BANK, NOON, make_catalogue, make_door, make_event

TOPIC = "uptake.submissions.bank"
CITIZEN = "038090012345"
BOUNDS = EventBounds(bytes_max=65_536, nesting_max=16)


def submission(
    value: bytes | None,
    *headers: tuple[str, bytes],
    offset: int = 7,
    at: datetime = NOON,
) -> Submission:
    """Make a record of the bank's topic."""
    return Submission(TOPIC, 0, offset, at, headers, value)


def judge(*submissions: Submission) -> Judged:
    """Judge records of the bank's topic."""
    return judge_submissions(submissions, BANK, make_catalogue(), BOUNDS)


def structured(event: object) -> bytes:
    """Write an event as a structured record's value."""
    return json.dumps(event).encode()


def binary(event: dict[str, Any]) -> tuple[bytes, list[tuple[str, bytes]]]:
    """Write an event as a binary record: value and headers."""
    headers = [
        (f"ce_{name}", value.encode())
        for name, value in event.items()
        if name != "data"
    ]
    return structured(event["data"]), [*headers, ("content-type", b"application/json")]


def refused(
    value: bytes | None, *headers: tuple[str, bytes], code: str = "not_json"
) -> Refusal:
    """Decode what must be no event at all."""
    decoded = decode_submission(value, headers, BOUNDS)
    assert isinstance(decoded, Refusal), decoded
    assert decoded.code == code
    assert decoded.detail.isprintable()
    return decoded


@pytest.mark.parametrize(
    "content_type",
    [b"application/cloudevents+json", b"Application/CloudEvents+JSON; charset=utf-8"],
)
def test_structured_and_binary_records_mean_the_same(content_type: bytes) -> None:
    """And the same as over HTTP."""
    event = make_event()
    value, headers = binary(event)
    whole = decode_submission(
        structured(event), [("content-type", content_type)], BOUNDS
    )
    assert whole == event
    assert decode_submission(value, headers, BOUNDS) == event
    expected = admit(event, make_door())
    assert isinstance(expected, Admitted)
    judged = judge(submission(structured(event)), submission(value, *headers))
    assert judged.admitted == (expected, expected)


def test_record_without_headers_is_a_structured_event() -> None:
    """Many tools set none."""
    assert decode_submission(structured(make_event()), [], BOUNDS) == make_event()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "it is empty"),
        (b"", "column 1"),
        (b"{", "column 2"),
        (b"\xff", "byte 0 is not utf-8"),
        (b'{"a": NaN}', "nan is not json"),
        (b"[" * 60_000, "nested too deeply"),
        (b"1" * 5_000, "exceeds the limit"),
    ],
)
def test_value_that_is_no_json_is_refused(value: bytes | None, said: str) -> None:
    """It names the place, and never stops the ones behind it."""
    assert said in refused(value).detail.lower()
    good = submission(structured(make_event()), offset=8)
    judged = judge(submission(value), good)
    assert len(judged.admitted) == len(judged.refused) == 1


def test_value_that_is_too_long_is_refused() -> None:
    """As at the door over HTTP."""
    too_long = refused(b" " * (BOUNDS.bytes_max + 1), code="event_too_large")
    assert "at most 65,536" in too_long.detail


def test_batches_and_other_kinds_are_refused() -> None:
    """A record is one event; what to send is said."""
    kinds = (b"application/cloudevents-batch+json", b"text/csv", b"\xc3\xa9/\x07")
    for kind in kinds:
        assert (
            "send one event"
            in refused(b"[]", ("content-type", kind), code="not_an_object").detail
        )
    assert (
        "not UTF-8"
        in refused(b"{}", ("content-type", b"\xff"), code="not_an_object").detail
    )


def test_attribute_said_twice_is_refused() -> None:
    """Whichever of them was meant, it would be a guess."""
    value, headers = binary(make_event())
    judged = judge(submission(value, *headers, ("CE_id", b"another")))
    ((told, _),) = judged.refused
    assert told.data.code == "duplicate_key"
    judged = judge(submission(b'{"id": 1, "id": 2}'))
    assert judged.refused[0][0].data.code == "duplicate_key"


def test_data_comes_from_the_value_alone() -> None:
    """A header of that name is no way round the checks."""
    value, headers = binary(make_event())
    spoilt = decode_submission(value, [*headers, ("ce_data", b"{}")], BOUNDS)
    assert isinstance(spoilt, dict)
    assert spoilt["data"] == make_event()["data"]


def test_topic_is_the_credential() -> None:
    """Another agency's source is refused, whatever the record says of itself."""
    judged = judge(submission(structured(make_event(source="/vn/38/shop"))))
    ((told, kept),) = judged.refused
    assert told.data.code == kept.data.code == "source_not_yours"
    assert judged.admitted == ()


def test_refusal_names_the_record_and_does_not_repeat_it() -> None:
    """What is refused may be what must not be kept."""
    value = structured(make_event(id="e-9", time=f"of {CITIZEN}"))
    ((told, kept),) = judge(submission(value, offset=41)).refused
    assert told.id == kept.id == f"{TOPIC}/0/41"
    assert (told.data.offset, told.data.id) == (41, "e-9")
    assert told.data.sha256 == kept.data.sha256 == hashlib.sha256(value).hexdigest()
    assert (kept.data.bytes, kept.data.key) == ("", None)
    for message in (told, kept):
        assert CITIZEN not in message.model_dump_json()


def test_the_same_records_are_judged_the_same_later() -> None:
    """So that a repeat after a crash says nothing else than before."""
    records = (
        submission(structured(make_event())),
        submission(structured(make_event(time="2025-01-01T00:00:00Z")), offset=8),
    )
    assert judge(*records) == judge(*records)


def test_outage_makes_no_submission_late() -> None:
    """The instant is that at which the broker took it, not that of the decision."""
    day = NOON - timedelta(days=61)
    event = structured(make_event(time=day.isoformat()))
    assert len(judge(submission(event, at=NOON)).admitted) == 1
    next_day = submission(event, at=NOON + timedelta(days=1))
    assert judge(next_day).refused[0][0].data.code == "too_late"


def test_each_record_has_its_own_instant() -> None:
    """Also where one chunk spans midnight."""
    event = structured(make_event(time=(NOON - timedelta(days=61)).isoformat()))
    late = NOON + timedelta(days=1)
    judged = judge(
        submission(event, at=NOON),
        submission(event, offset=8, at=late),
        submission(event, offset=9, at=NOON),
    )
    assert len(judged.admitted) == 2
    assert [told.data.offset for told, _ in judged.refused] == [8]


def test_admitted_record_is_the_one_that_http_would_log() -> None:
    """One contract, two doors."""
    event = make_event()
    expected = admit(event, open_door(make_catalogue(), BANK, NOON.astimezone(UTC)))
    assert judge(submission(structured(event))).admitted == (expected,)
