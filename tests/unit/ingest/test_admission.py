"""What the door takes, what it refuses, and what it writes on the record."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.ingest.core.repeated import RepeatedKey
from shared.errors import RefusalCode
from tests.unit.ingest import doors
from tests.unit.ingest.doors import (
    CONTROL,
    COUNTED,
    NOON,
    REFUNDED,
    REVERSED,
    STATED,
    code_of,
    make_data,
    make_door,
    make_event,
    record_of,
    refusal_of,
)


def test_record_carries_all_that_needed_clock_or_catalogue() -> None:
    """Aggregation needs neither, so a rebuild decides as the first run did."""
    event = make_event(data={"locality": "15961", "count": 3})
    assert record_of(event) == {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/vn/38/bank",
        "type": "uptake.cashless.opened",
        "time": "2026-11-21T02:00:00.000000Z",
        "agency": "bank",
        "localday": "2026-11-21",
        "effect": "count",
        "indicator": "cashless_accounts",
        "sign": 1,
        "locality": "15961",
        "validfrom": "2025-07-01",
        "data": {"count": 3, "amount": 0},
    }


def test_every_type_is_admitted_as_the_builders_make_it() -> None:
    """Otherwise a refusal below might have another cause than the test says."""
    effects = {
        doors.OPENED: "count",
        "uptake.cashless.closed": "count",
        "uptake.ecommerce.completed": "count",
        REFUNDED: "amount",
        COUNTED: "count",
        STATED: "state",
        CONTROL: "control",
        REVERSED: "reverse",
    }
    for type_, effect in effects.items():
        assert record_of(make_event(type_))["effect"] == effect


def test_extensions_and_subject_do_not_enter_the_log() -> None:
    """What nobody reads cannot leak."""
    event = make_event(subject="shop 5", traceparent="00-ab", dataschema=["odd"])
    assert record_of(event) == record_of(make_event())


def test_event_that_is_no_object_is_refused() -> None:
    """A batch may hold anything."""
    for raw in (7, "event", None, [make_event()], 1.5, True):
        assert code_of(raw) == "not_an_object"
        assert refusal_of(raw).id is None


def test_repeated_key_is_refused_wherever_it_stands() -> None:
    """Such JSON means one thing to one reader and another to the next."""
    assert code_of(RepeatedKey("id")) == "duplicate_key"
    assert code_of(make_event(data=RepeatedKey("count"))) == "duplicate_key"
    assert code_of(make_event(extension=RepeatedKey("a\ud800"))) == "duplicate_key"
    assert code_of({**make_event(), "\ud800": RepeatedKey("a")}) == "duplicate_key"


def test_specversion_is_the_text_one_dot_zero() -> None:
    """Neither another version nor a number."""
    for value in (None, 1.0, "1", "0.3", "1.0 "):
        assert code_of(make_event(specversion=value)) == "bad_specversion"


@pytest.mark.parametrize(
    "value",
    [None, "", "x" * 129, 5, True, ["a"], "a\x00b", "a\nb", "a\x7f", "a\x85b"],
)
def test_id_is_1_to_128_characters_without_control_characters(value: object) -> None:
    """NUL among them, which Postgres could not store."""
    assert code_of(make_event(id=value)) == "bad_id"


def test_longest_id_is_admitted_counted_in_characters() -> None:
    """Vietnamese letters take several bytes each and are one character."""
    assert record_of(make_event(id="ế" * 128))["id"] == "ế" * 128


def test_half_a_character_in_an_id_is_refused_and_can_be_told() -> None:
    """A lone surrogate has no UTF-8, so the answer names its escape."""
    refusal = refusal_of(make_event(id="a\ud800"))
    assert refusal.code is RefusalCode.BAD_ID
    assert refusal.id == "a\\ud800"


def test_refusal_names_the_beginning_of_an_endless_id() -> None:
    """An answer must not grow with what was sent."""
    assert refusal_of(make_event(id="x" * 1_000_000)).id == "x" * 128


def test_source_may_be_a_path_below_one_of_the_agency() -> None:
    """Segments decide."""
    for source in ("/vn/38/bank", "/vn/38/bank/branch/7", "/vn/38/old"):
        assert record_of(make_event(source=source))["source"] == source


def test_source_that_only_begins_alike_is_not_yours() -> None:
    """`/vn/38/bank2` is somebody else's."""
    for source in ("/vn/38/bank2", "/vn/38", "/vn/38/shop", "vn/38/bank", "/"):
        assert code_of(make_event(source=source)) == "source_not_yours"


def test_source_must_be_clean_text() -> None:
    """As every string."""
    for source in (None, "", 5, "/vn/38/bank/\x00", "/vn/38/bank/" + "x" * 256):
        assert code_of(make_event(source=source)) == "bad_source"


def test_unknown_type_is_refused_with_the_known_ones() -> None:
    """The sender sees what there is."""
    refusal = refusal_of(make_event("uptake.cashless.sold"))
    assert refusal.code is RefusalCode.UNKNOWN_TYPE
    assert "uptake.cashless.opened" in refusal.detail


def test_type_must_be_clean_text() -> None:
    """As every string; an array cannot be looked up."""
    for value in (None, "", 5, ["uptake.cashless.opened"], "uptake\x00"):
        assert code_of(make_event(type=value)) == "bad_type"


def test_time_without_offset_is_refused_with_what_to_append() -> None:
    """Nobody guesses a time zone."""
    refusal = refusal_of(make_event(time="2026-11-21T09:00:00"))
    assert refusal.code is RefusalCode.TIME_NAIVE
    assert "+07:00" in refusal.detail


@pytest.mark.parametrize(
    "value",
    [
        None,
        1_763_690_400,
        "",
        "yesterday",
        "2026-11-21",
        "2026-11-21 09:00:00+07:00",
        "2026-11-21T09:00+07:00",
        "2026-11-21T09:00:00+0700",
        "2026-11-21T09:00:00+07",
        "2026-11-21T09:00:00+07:60",
        "2026-11-21T09:00:00+24:00",
        "2026-11-21T24:00:00+07:00",
        "2026-11-21T09:00:60Z",
        "2026-02-29T09:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-11-21T09:00:00,5Z",
        "2026-11-21T09:00:00.Z",
        "2026-11-21T09:00:00Z\n",
        "２０２６-11-21T09:00:00Z",
        # Neither has an instant in UTC that Python can hold.
        "0001-01-01T00:00:00+07:00",
        "9999-12-31T23:59:59-07:00",
    ],
)
def test_time_must_be_an_rfc_3339_instant_that_exists(value: object) -> None:
    """Nothing else is guessed at."""
    assert code_of(make_event(time=value)) == "bad_time"


def test_one_instant_is_written_in_one_form() -> None:
    """However it was sent: a repeat with another offset is the same content."""
    for text in (
        "2026-11-21T09:00:00.25+07:00",
        "2026-11-21t02:00:00.250z",
        "2026-11-20T21:00:00.250000999-05:00",
    ):
        assert record_of(make_event(time=text))["time"] == "2026-11-21T02:00:00.250000Z"


def test_time_of_ten_minutes_ahead_is_admitted_and_any_more_refused() -> None:
    """Clocks differ; ten minutes is where patience ends."""
    limit = NOON + timedelta(minutes=10)
    assert record_of(make_event(time=limit.isoformat()))["localday"] == "2026-11-21"
    later = limit + timedelta(microseconds=1)
    assert code_of(make_event(time=later.isoformat())) == "time_ahead"
    assert code_of(make_event(time="9999-12-31T23:59:59Z")) == "time_ahead"


def test_local_day_changes_at_midnight_in_vietnam() -> None:
    """17:00 UTC is where the day ends."""
    days = {
        "2026-11-20T16:59:59.999999Z": "2026-11-20",
        "2026-11-20T17:00:00Z": "2026-11-21",
        "2026-11-20T23:59:59+07:00": "2026-11-20",
        "2026-11-21T00:00:00+07:00": "2026-11-21",
    }
    for instant, day in days.items():
        assert record_of(make_event(time=instant))["localday"] == day


def test_oldest_open_day_is_admitted_and_the_day_before_too_late() -> None:
    """62 open days, today among them; the window moves at local midnight."""
    assert make_door().oldest_open_day == date(2026, 9, 21)
    first = make_event(time="2026-09-21T00:00:00+07:00")
    assert record_of(first)["localday"] == "2026-09-21"
    before = make_event(time="2026-09-20T23:59:59.999999+07:00")
    refusal = refusal_of(before)
    assert refusal.code is RefusalCode.TOO_LATE
    assert "2026-09-21" in refusal.detail
    midnight = datetime(2026, 11, 21, 17, tzinfo=UTC)
    just_before = make_door(now=midnight - timedelta(microseconds=1))
    assert record_of(first, just_before)["localday"] == "2026-09-21"
    assert code_of(first, make_door(now=midnight)) == "too_late"


def test_year_one_is_too_late_in_any_time_zone() -> None:
    """West of UTC it has no local day at all."""
    western = make_door(timezone="America/Bogota")
    for door in (make_door(), western):
        assert code_of(make_event(time="0001-01-01T00:00:00Z"), door) == "too_late"


def test_every_refusal_code_can_be_met() -> None:
    """A code that nothing gives would be a promise without content."""
    events: tuple[object, ...] = (
        make_data(amount=1),
        make_data(REFUNDED, amount=-1),
        make_data(count=0),
        make_event(data=[]),
        make_data(STATED, day=""),
        make_event(id=""),
        make_data(locality=""),
        make_data(REVERSED, id=""),
        make_event(source=""),
        make_event(specversion="2"),
        make_event(time=""),
        make_event(type=""),
        RepeatedKey("id"),
        make_data(COUNTED, indicator="eid_accounts"),
        make_data(locality="04"),
        make_data(STATED, indicator="ecommerce_transactions"),
        [],
        make_event(subject="0912345678"),
        make_event(source="/other"),
        make_event(time="2027-01-01T00:00:00Z"),
        make_event(time="2026-11-21T09:00:00"),
        make_event(time="2026-01-01T00:00:00Z"),
        make_data(COUNTED, indicator="other"),
        make_data(locality="99999"),
        make_event(type="other"),
    )
    # Given to what cannot be read; tests of the wire meet them.
    unread = {"bad_header", "event_too_large", "not_json", "too_deep"}
    found = {code_of(event) for event in events}
    assert found | unread == {code.value for code in RefusalCode}
