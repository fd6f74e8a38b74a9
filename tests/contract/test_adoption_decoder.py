"""The fast decoder of `uptake.events` answers as the wire model does."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.aggregation.core.record import LogRecord
from shared.events.adoption_v1 import AMOUNT_MAX, COUNT_MAX, AdoptionV1
from shared.events.adoption_v1_decode import EntryV1, decode_entry
from tests.contract.wire_records import EVENTS, write_record

MODEL: TypeAdapter[Any] = TypeAdapter(AdoptionV1)
RECORDS = [json.loads(write_record(event)) for event in EVENTS.values()]
ENVELOPE = [
    *("specversion", "id", "source", "type", "time", "agency", "localday", "effect"),
    *("indicator", "sign", "locality", "validfrom"),
]
DATA = ["count", "amount", "day", "id", "source", "time"]


def read_by_model(value: bytes) -> BaseModel | None:
    """Read a record by the wire model; None where it refuses."""
    try:
        read = MODEL.validate_json(value)
    except ValidationError:
        return None
    assert isinstance(read, BaseModel)
    return read


def assert_same(value: bytes) -> None:
    """Read a record both ways and compare answers and values."""
    entry, model = decode_entry(value), read_by_model(value)
    assert (entry is None) == (model is None), value
    if entry is None or model is None:
        return
    # Whatever a kind does not have is a constant of the decoder's object.
    for name in type(model).model_fields:
        if name != "data":
            assert getattr(entry, name) == getattr(model, name), (name, value)
    data = model.data  # type: ignore[attr-defined] # every kind of record has it
    for name in type(data).model_fields:
        assert getattr(entry.data, name) == getattr(data, name), (name, value)
    assert_bare(entry, set(type(model).model_fields), set(type(data).model_fields))


def assert_bare(entry: EntryV1, envelope: set[str], data: set[str]) -> None:
    """Check that what the kind does not have has no value, whatever was sent."""
    for name in set(ENVELOPE) - envelope:
        assert getattr(entry, name) in (None, 0)
    for name in set(DATA) - data:
        assert getattr(entry.data, name) in (None, 0)


texts = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["", "x" * 512, "ế" * 512, "x" * 513, "a\0b", "\\u0000", "1.0"]),
)
numbers = st.sampled_from(
    [-2, -1, 0, 1, 2, COUNT_MAX, COUNT_MAX + 1, AMOUNT_MAX, AMOUNT_MAX + 1, 2**63]
)
days = st.one_of(
    st.dates().map(date.isoformat),
    st.sampled_from(
        ["2026-02-29", "20261121", "0", "86400", "2026-11-21T00:00:00Z", "0000-01-01"]
    ),
)
instants = st.one_of(
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.datetimes().map(datetime.isoformat),
    st.sampled_from(
        [
            "2026-11-21T02:00:00Z",
            "2026-11-21t02:00:00.5z",
            "2026-11-21 02:00:00-00:00",
            "2026-11-21T02:00:00.123456+0000",
            "2026-11-21T09:00:00+07:00",
            "0001-01-01T00:00:00+07:00",
            "9999-12-31T23:59:59-07:00",
            "2026-11-21T02:00Z",
            "2026-11-21_02:00:00Z",
            "2026-11-21T02:00:00,5Z",
            "2026-11-21T02:00:60Z",
            "2026-11-21T24:00:00Z",
            "1700000000",
            " 2026-11-21T02:00:00Z",
        ]
    ),
)
effects = st.sampled_from(["count", "amount", "state", "control", "reverse", "other"])
ODD: list[object] = [None, True, False, 1.0, 1.5, [], {}, "1", 0, -1, 1]
odd = st.sampled_from(ODD)
members = st.one_of(texts, numbers, days, instants, effects, odd)
# What is right for a member comes up often enough for the rest to be reached.
FITTING = {
    "time": st.one_of(instants, members),
    "day": st.one_of(days, members),
    "localday": st.one_of(days, members),
    "validfrom": st.one_of(days, members),
    "count": st.one_of(numbers, members),
    "amount": st.one_of(numbers, members),
    "effect": st.one_of(effects, members),
    "sign": st.one_of(st.sampled_from([-1, 0, 1]), members),
}


@st.composite
def mutated_records(draw: st.DrawFn) -> bytes:
    """Draw a record that ingest writes with some members changed, added or gone."""
    record = json.loads(json.dumps(draw(st.sampled_from(RECORDS))))
    for _ in range(draw(st.integers(1, 3))):
        is_data = draw(st.booleans()) and isinstance(record.get("data"), dict)
        holder = record["data"] if is_data else record
        name = draw(st.sampled_from(DATA if is_data else [*ENVELOPE, "data", "extra"]))
        if draw(st.integers(0, 4)) == 0:
            holder.pop(name, None)
        else:
            holder[name] = draw(FITTING.get(name, members))
    return json.dumps(record, ensure_ascii=draw(st.booleans())).encode()


@pytest.mark.parametrize("name", EVENTS)
def test_records_of_ingest_are_read_alike(name: str) -> None:
    """Both take what the door writes, whole."""
    value = write_record(EVENTS[name])
    entry = decode_entry(value)
    assert entry is not None
    assert entry.effect == json.loads(value)["effect"]
    assert_same(value)


@given(mutated_records())
@example(json.dumps({**RECORDS[3], "locality": 5}).encode())
@example(json.dumps({**RECORDS[4], "sign": 7}).encode())
@example(json.dumps({**RECORDS[0], "effect": "reverse"}).encode())
@example(json.dumps({**RECORDS[0], "sign": True}).encode())
@example(json.dumps({**RECORDS[0], "sign": 1.0}).encode())
def test_mutated_records_are_read_alike(value: bytes) -> None:
    """Wrong members, foreign members, members of other kinds, missing ones."""
    assert_same(value)


@given(st.sampled_from(RECORDS), st.data())
def test_member_of_another_kind_has_no_effect(
    record: dict[str, Any], data: st.DataObject
) -> None:
    """A day on a sale must not move the sale to that day."""
    name = data.draw(st.sampled_from([n for n in DATA if n not in record["data"]]))
    stray = {**record["data"], name: data.draw(members)}
    value = json.dumps({**record, "data": stray}).encode()
    assert_same(value)
    assert decode_entry(value) == decode_entry(json.dumps(record).encode())


@given(st.sampled_from(RECORDS), st.data())
def test_bytes_that_are_no_record_are_refused_by_both(
    record: dict[str, Any], data: st.DataObject
) -> None:
    """Cut short, with bytes in front, or something else altogether."""
    value = json.dumps(record).encode()
    length = data.draw(st.integers(0, len(value) - 1))
    for spoilt in (
        value[:length],
        b"\xff" + value,
        value.replace(b'"e-1"', b'"\xff"'),
        value.replace(b'"e-1"', b'"\\ud800"'),
        value.replace(b'"e-1"', b'"a\x00"'),
    ):
        if spoilt != value:
            assert decode_entry(spoilt) is None
            assert read_by_model(spoilt) is None


@given(st.one_of(st.binary(max_size=40), st.text(max_size=40).map(str.encode)))
@example(b"")
@example(b"null")
@example(b"[]")
@example(b"{}")
@example(b'{"effect": null}')
@example(b'{"effect": 1}')
@example(b"[" * 10_000)
def test_any_bytes_are_answered(value: bytes) -> None:
    """Never with an exception: a bad record must not stop the reader."""
    assert decode_entry(value) is None
    assert read_by_model(value) is None


def test_text_with_nul_is_refused_and_its_escape_alone_is_not() -> None:
    r"""Postgres stores no NUL; the six characters `\u0000` are just characters."""
    record = {**RECORDS[0], "id": "a\0b"}
    assert decode_entry(json.dumps(record).encode()) is None
    entry = decode_entry(json.dumps({**RECORDS[0], "id": "\\u0000"}).encode())
    assert entry is not None
    assert entry.id == "\\u0000"


def test_instants_of_the_log_are_in_utc() -> None:
    """So that the first and the last second of the calendar can be computed with."""
    for text in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
        entry = decode_entry(json.dumps({**RECORDS[0], "time": text}).encode())
        assert entry is not None
        assert entry.time.utcoffset() == timedelta(0)
        # What a driver does on the way to the database.
        assert entry.time.astimezone(UTC) == entry.time
    elsewhere = {**RECORDS[0], "time": "2026-11-21T09:00:00+07:00"}
    assert decode_entry(json.dumps(elsewhere).encode()) is None


def test_decoded_object_is_what_the_core_takes() -> None:
    """Checked by mypy: every kind of entry has every attribute of the protocol."""
    for event in EVENTS.values():
        entry = decode_entry(write_record(event))
        record = LogRecord(0, 0, datetime(2026, 11, 21, tzinfo=UTC), entry)
        assert record.entry is entry
