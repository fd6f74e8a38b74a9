"""What a request's decisions add up to."""

from services.ingest.core.receipt import decide
from tests.support.fake_log import ids_of
from tests.unit.ingest.doors import make_data, make_door, make_event


def test_bad_event_never_touches_a_good_one() -> None:
    """Good ones are admitted in the order sent, bad ones named by their index."""
    decided = decide(
        [
            make_event(id="a"),
            make_data(count=-1),
            make_event(id="b"),
            7,
            make_event(id="c"),
        ],
        make_door(),
    )
    assert ids_of(decided.admitted) == ["a", "b", "c"]
    assert [index for index, _ in decided.refused] == [1, 3]
    assert decided.received == 5


def test_receipt_says_what_became_of_each_event() -> None:
    """The shape that DESIGN section 5 shows."""
    decided = decide([make_event(), make_data(locality="99999")], make_door())
    receipt = decided.receipt(1)
    refused = receipt["refused"]
    assert isinstance(refused, list)
    assert set(receipt) == {"received", "accepted", "refused"}
    assert (receipt["received"], receipt["accepted"]) == (2, 1)
    assert set(refused[0]) == {"index", "id", "code", "detail"}
    assert refused[0]["index"] == 1
    assert refused[0]["id"] == "e-1"
    assert refused[0]["code"] == "unknown_locality"
    # A plain string, whatever writes the JSON.
    assert type(refused[0]["code"]) is str


def test_same_event_twice_in_one_request_is_admitted_twice() -> None:
    """Whether it is a duplicate is decided by the ledger, never at the door."""
    decided = decide([make_event(), make_event()], make_door())
    assert len(decided.admitted) == 2


def test_request_is_forbidden_only_where_all_of_it_is_somebody_elses() -> None:
    """One plain mistake among them makes it a wrong request instead."""
    foreign = [
        make_event(source="/vn/38/shop"),
        make_data(locality="01273"),
        make_data("uptake.indicator.counted", indicator="eid_accounts"),
    ]
    assert decide(foreign, make_door()).is_forbidden
    assert not decide([*foreign, make_data(count=0)], make_door()).is_forbidden
    assert not decide([*foreign, make_event()], make_door()).is_forbidden
