"""What the door makes of an event's data: counts, statements, controls, reversals."""

import pytest

from shared.errors import RefusalCode
from tests.unit.ingest import doors
from tests.unit.ingest.doors import (
    CONTROL,
    COUNTED,
    REFUNDED,
    REVERSED,
    SHOP,
    STATED,
    code_of,
    make_data,
    make_door,
    make_event,
    record_of,
    refusal_of,
)


def test_data_must_be_an_object() -> None:
    """Also not a JSON text inside a string."""
    wrong: tuple[object, ...] = (None, "{}", 1, [], True)
    for data in wrong:
        assert code_of(make_event(data=data)) == "bad_data"


def test_misspelt_member_of_data_is_refused_with_the_right_names() -> None:
    """Ignored, `cuont: 1250` would count as 1."""
    refusal = refusal_of(make_data(cuont=1250))
    assert refusal.code is RefusalCode.BAD_DATA
    assert "amount, count, locality" in refusal.detail
    assert code_of(make_data(**{"\ud800": 1})) == "bad_data"


def test_member_that_another_type_has_is_refused() -> None:
    """Each would be ignored, so the sender would be wrong about what it does."""
    for type_, member in (
        (doors.OPENED, {"indicator": "cashless_accounts"}),
        (doors.OPENED, {"day": "2026-11-20"}),
        (STATED, {"amount": 5}),
        ("uptake.eid.census", {"indicator": "insurance_cards"}),
        (CONTROL, {"locality": "15961"}),
        (REVERSED, {"count": 1}),
    ):
        assert code_of(make_data(type_, **member)) == "bad_data"


def test_count_is_one_where_none_is_given() -> None:
    """One event, one activation."""
    assert record_of(make_event())["data"] == {"count": 1, "amount": 0}


@pytest.mark.parametrize(
    "value", [0, -1, 1_000_000_001, 10**30, True, 1.0, "1", [1], {}, 1e3]
)
def test_count_must_be_an_integer_from_one_to_a_billion(value: object) -> None:
    """True, 1.0 and "1" are not the number 1."""
    assert code_of(make_data(count=value)) == "bad_count"


def test_null_count_is_refused() -> None:
    """A member that is there has a value."""
    event = make_event(data={"locality": "15961", "count": None})
    assert code_of(event) == "bad_count"


def test_largest_count_and_amount_are_admitted() -> None:
    """A billion, and a million billion VND."""
    event = make_data("uptake.ecommerce.completed", count=10**9, amount=10**15)
    assert record_of(event)["data"] == {"count": 10**9, "amount": 10**15}


@pytest.mark.parametrize("value", [-1, 10**15 + 1, 412_750.0, "412750", False])
def test_amount_must_be_an_integer_in_vnd(value: object) -> None:
    """No fraction of a dong, nothing negative: a refund has its own type."""
    event = make_data("uptake.ecommerce.completed", amount=value)
    assert code_of(event) == "bad_amount"


def test_amount_is_refused_where_the_indicator_has_none() -> None:
    """Zero too: it shows that the sender expects amounts to be counted."""
    assert code_of(make_data(amount=412_750)) == "amount_not_allowed"
    assert code_of(make_data(amount=0)) == "amount_not_allowed"
    assert code_of(make_data(COUNTED, amount=1)) == "amount_not_allowed"


def test_refund_takes_back_an_amount_and_never_a_count() -> None:
    """The sale that was counted has still taken place."""
    record = record_of(make_data(REFUNDED, amount=500))
    assert (record["effect"], record["sign"]) == ("amount", -1)
    assert record["data"] == {"count": 1, "amount": 500}
    assert record_of(make_data(REFUNDED, amount=500, count=1)) == record
    assert code_of(make_data(REFUNDED, amount=500, count=2)) == "bad_count"


def test_general_type_counts_the_indicator_that_it_names() -> None:
    """So a new indicator needs no code."""
    record = record_of(make_data(COUNTED, count=1250))
    assert record["indicator"] == "insurance_cards"
    assert record["data"]["count"] == 1250


def test_indicator_must_be_known_to_the_catalogue() -> None:
    """Missing, odd and unknown alike."""
    for value in (None, 5, "", "no_such", "a\x00"):
        for type_ in (COUNTED, STATED, CONTROL):
            assert code_of(make_data(type_, indicator=value)) == "unknown_indicator"


def test_indicator_of_others_is_not_yours() -> None:
    """Whether the event names it or its type does."""
    for type_ in (COUNTED, STATED, CONTROL):
        event = make_data(type_, indicator="eid_accounts")
        assert code_of(event) == "indicator_not_yours"
    shop = make_door(SHOP)
    event = make_event(source="/vn/38/shop")
    assert code_of(event, shop) == "indicator_not_yours"


def test_province_code_means_its_unallocated_leaf() -> None:
    """Only leaves hold counts, so that sums agree."""
    record = record_of(make_data(locality="38"))
    assert record["locality"] == "38-unallocated"
    assert record["validfrom"] == "2025-07-01"
    assert code_of(make_data(locality="38-unallocated")) == "unknown_locality"


def test_code_means_the_unit_that_bears_it_on_the_local_day() -> None:
    """Code 16000 passed to another commune on 1 November."""
    for instant, since in (
        ("2026-10-31T23:59:59+07:00", "2025-07-01"),
        ("2026-11-01T00:00:00+07:00", "2026-11-01"),
    ):
        event = make_event(time=instant, data={"locality": "16000"})
        assert record_of(event)["validfrom"] == since


def test_statement_means_the_unit_of_the_day_it_speaks_of() -> None:
    """Not of the day on which it was made."""
    event = make_data(STATED, locality="16000", day="2026-10-31")
    assert record_of(event)["validfrom"] == "2025-07-01"
    early = make_data(STATED, locality="16000", day="2025-06-30")
    assert code_of(early) == "unknown_locality"


def test_unknown_locality_is_refused_with_a_hint() -> None:
    """Spreadsheets swap digits and lose leading zeros."""
    refusal = refusal_of(make_data(locality="15916"))
    assert refusal.code is RefusalCode.UNKNOWN_LOCALITY
    assert "did you mean 15961" in refusal.detail
    assert code_of(make_data(locality="99999")) == "unknown_locality"


def test_locality_must_be_text_with_its_leading_zeros() -> None:
    """A number has lost them."""
    for value in (None, 15961, "", "15961\x00"):
        assert code_of(make_data(locality=value)) == "bad_locality"


def test_locality_outside_the_agencys_subtree_is_not_yours() -> None:
    """Up, beside, and in another province."""
    assert code_of(make_data(locality="01273")) == "locality_not_yours"
    assert code_of(make_data(locality="VN")) == "locality_not_yours"
    event = make_event("uptake.ecommerce.completed", source="/vn/38/shop")
    assert record_of(event, make_door(SHOP))["locality"] == "15961"
    for code in ("16000", "38"):
        event["data"] = {"locality": code}
        assert code_of(event, make_door(SHOP)) == "locality_not_yours"


def test_statement_carries_its_level_day_and_leaf() -> None:
    """Zero is a level."""
    record = record_of(make_data(STATED, count=0, day="2026-11-21"))
    assert record["effect"] == "state"
    assert record["data"] == {"count": 0, "day": "2026-11-21"}
    assert record["locality"] == "15961"
    assert "sign" not in record


def test_flow_cannot_be_stated_but_controlled() -> None:
    """Transactions have no level; an agency may still say how many it had."""
    flow = "ecommerce_transactions"
    assert code_of(make_data(STATED, indicator=flow)) == "not_a_stock"
    assert record_of(make_data(CONTROL, indicator=flow))["indicator"] == flow


def test_control_has_no_leaf() -> None:
    """It is the agency's figure for all that it reports."""
    record = record_of(make_data(CONTROL, count=0))
    assert record["data"] == {"count": 0, "day": "2026-11-20"}
    assert {"locality", "validfrom", "sign"}.isdisjoint(record)


def test_stated_count_must_be_given_and_not_negative() -> None:
    """It has no default: an empty statement states nothing."""
    for type_ in (STATED, CONTROL):
        for value in (None, -1, 10**15 + 1, 5.0, True):
            assert code_of(make_data(type_, count=value)) == "bad_count"


def test_stated_day_must_be_a_day_and_not_after_the_events_own() -> None:
    """An old event cannot state today, though today has begun."""
    for type_ in (STATED, CONTROL):
        for day in (None, 20, "", "20261120", "2026-11-31", "2026-11-22", "0000-01-01"):
            assert code_of(make_data(type_, day=day)) == "bad_day"
        old = make_data(type_, day="2026-11-21")
        assert record_of(old)["data"]["day"] == "2026-11-21"
        old["time"] = "2026-11-20T23:59:59+07:00"
        assert code_of(old) == "bad_day"


def test_reversal_names_the_original_in_the_logs_own_form() -> None:
    """Source defaults to its own."""
    record = record_of(make_event(REVERSED, id="r-1"))
    assert record["data"] == {
        "id": "e-1",
        "source": "/vn/38/bank",
        "time": "2026-11-20T02:00:00.000000Z",
    }
    assert record["localday"] == "2026-11-21"
    assert {"indicator", "locality", "validfrom", "sign"}.isdisjoint(record)


def test_reversal_may_name_another_source_of_the_same_agency_only() -> None:
    """Nobody voids what others reported."""
    own = make_data(REVERSED, source="/vn/38/old/2")
    assert record_of(own)["data"]["source"] == "/vn/38/old/2"
    foreign = make_data(REVERSED, source="/vn/38/shop")
    assert code_of(foreign) == "source_not_yours"


def test_reversal_needs_the_originals_id() -> None:
    """Clean text, as for an event."""
    for value in (None, "", 5, "a\x00", "\ud800", "x" * 129):
        assert code_of(make_data(REVERSED, id=value)) == "bad_reversed_id"


def test_reversal_needs_an_instant_at_which_the_original_can_have_been() -> None:
    """Aware, on an open day, and not ahead of our clock."""
    codes = {
        None: "bad_time",
        "2026-11-20": "bad_time",
        "2026-11-20T09:00:00": "time_naive",
        "2026-09-20T23:59:59+07:00": "too_late",
        "2026-11-21T05:10:01Z": "time_ahead",
        # In Vietnam this would be a day of the year 10000.
        "9999-12-31T23:59:59Z": "time_ahead",
    }
    for value, code in codes.items():
        assert code_of(make_data(REVERSED, time=value)) == code
    assert record_of(make_data(REVERSED, time="2026-11-21T05:10:00Z"))
