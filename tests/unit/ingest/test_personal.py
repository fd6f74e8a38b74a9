"""Events name no person; what looks like one is found, and never repeated."""

import json

import pytest

from services.ingest.core.personal import Personal, find_personal, kind_of
from services.ingest.core.receipt import decide
from services.ingest.core.repeated import RepeatedKey
from tests.unit.ingest.doors import (
    REVERSED,
    code_of,
    make_data,
    make_door,
    make_event,
    record_of,
    refusal_of,
)

CITIZEN = "038090012345"
PHONE = "0912345678"
EMAIL = "lan.nguyen@example.vn"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (CITIZEN, Personal.CITIZEN),
        ("001090012345", Personal.CITIZEN),
        ("096090012345", Personal.CITIZEN),
        (f"cccd:{CITIZEN}", Personal.CITIZEN),
        (f"kh_{CITIZEN}_2", Personal.CITIZEN),
        (PHONE, Personal.PHONE),
        ("+84912345678", Personal.PHONE),
        ("tel:+84912345678", Personal.PHONE),
        ("0238385216", Personal.PHONE),
        (f"khách hàng {PHONE}, hai lần", Personal.PHONE),
        (f"/shop/{PHONE}/1", Personal.PHONE),
        (f"KH-{PHONE}", Personal.PHONE),
        ("０９１２３４５６７８", Personal.PHONE),
        ("٠٩١٢٣٤٥٦٧٨", Personal.PHONE),
        (EMAIL, Personal.EMAIL),
        (f"mailto:{EMAIL}?subject=x", Personal.EMAIL),
        ("lan＠example.com.vn", Personal.EMAIL),
        # Filled up with zeros to look like a UUID: of no version and no variant.
        ("00000000-0000-0000-0000-038090012345", Personal.CITIZEN),
        (f"550e8400-e29b-41d4-a716-446655440000/{PHONE}", Personal.PHONE),
    ],
)
def test_whole_token_that_looks_like_a_person_is_found(
    text: str, kind: Personal
) -> None:
    """Alone or among other words, in digits of any script."""
    assert kind_of(text) is kind


@pytest.mark.parametrize(
    "text",
    [
        "000090012345",
        "097090012345",
        "038090012345a",
        "x038090012345",
        "03809001234",
        "0380900123456",
        "0000012345",
        "0012345678",
        "1912345678",
        "09123456789",
        "84912345678",
        "+85912345678",
        "1763690400",
        "1763690400123",
        "1763690400123456",
        "1763690400123456789",
        "20261121090000",
        "202611210900",
        "2026112109000012",
        "2026-11-21T09:00:00.012345678+07:00",
        # Eight random bytes in hexadecimal may happen to have no letter.
        "4111111111111111",
        "bank-17-4111111111111111",
        "order@shop",
        "@shop.vn",
        "a @ b.vn",
        "v1.2@3.4",
        "550e8400-e29b-41d4-a716-038090012345",
        "{550E8400-E29B-71D4-B716-038090012345}",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "row1-0123456789012345678901234567890123456789",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "15961",
        "",
    ],
)
def test_what_only_resembles_a_person_is_let_through(text: str) -> None:
    """Counters, instants and ids are not made to suffer."""
    assert kind_of(text) is None


PLACES: list[tuple[str, object]] = [
    ("id", make_event(id=CITIZEN)),
    ("subject", make_event(subject=f"customer {PHONE}")),
    ("source", make_event(source=f"/vn/38/bank/{PHONE}")),
    ("type", make_event(PHONE)),
    ("customer", make_event(customer=CITIZEN)),
    ("customer", make_event(customer=["x", {"deep": [f"a {CITIZEN}"]}])),
    ("a name in customer", make_event(customer={PHONE: 1})),
    ("a name in the event", {**make_event(), PHONE: 1}),
    ("an attribute", {**make_event(), "Kunde!": PHONE}),
    ("data.locality", make_data(locality=PHONE)),
    ("data.note", make_data(note=EMAIL)),
    ("data.id", make_data(REVERSED, id=CITIZEN)),
    ("a name in data", make_data(**{PHONE: 1})),
    ("a member of data", make_data(**{"x y": PHONE})),
    ("data", make_event(data=PHONE)),
    ("a name in the event", RepeatedKey(PHONE)),
    ("a name in data", make_event(data=RepeatedKey(PHONE))),
    ("the event", PHONE),
]


@pytest.mark.parametrize(("place", "event"), PLACES, ids=str)
def test_person_is_refused_wherever_it_stands_and_never_repeated(
    place: str, event: object
) -> None:
    """Every text and every name, before anything else is said about the event."""
    refusal = refusal_of(event)
    assert refusal.code.value == "personal_data"
    assert refusal.detail.startswith(f"{place} holds what looks like ")
    told = json.dumps(decide([event], make_door()).receipt(0))
    for secret in (CITIZEN, PHONE, EMAIL):
        assert secret not in told


def test_clean_id_of_a_refused_event_is_told() -> None:
    """The sender finds the row by it."""
    assert refusal_of(make_event(id="order-7", subject=PHONE)).id == "order-7"
    assert refusal_of(make_event(id=PHONE)).id is None
    # Escaped it would be part of another token, which anybody can undo.
    assert refusal_of(make_event(id=f"\ud800{PHONE}")).id is None


def test_person_comes_before_whatever_else_is_wrong() -> None:
    """Other refusals repeat what was sent: a type, a source, a place, a name."""
    wrong = {"specversion": PHONE, "type": [], "time": "noon"}
    assert code_of({**make_event(), **wrong}) == "personal_data"


def test_numbers_are_no_tokens() -> None:
    """They have limits of their own, and none that begins with 0."""
    event = make_event(anything=912345678, more=[4111111111111111, 1.5, None, True])
    assert record_of(event)["id"] == "e-1"
    assert find_personal(4111111111111111) is None


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000 + "@",
        "@" * 1_000_000,
        "a@" * 500_000,
        "x@" + "a." * 500_000,
        "x@" + "a-" * 500_000,
        "1" * 1_000_000,
        "1234567890 " * 100_000,
        "12345678-1234-4123-8123-" * 40_000,
    ],
    ids=lambda text: text[:12],
)
def test_long_text_is_judged_at_once(text: str) -> None:
    """A pattern that begins anew at every letter would take hours for one of these."""
    assert kind_of(text) is None
