"""A small catalogue, the door of one of its agencies, and events to knock with."""

from datetime import UTC, date, datetime
from typing import Any

from services.ingest.core.admission import (
    Admitted,
    Door,
    Refusal,
    admit,
    open_door,
)
from shared.catalogue.model import (
    Agency,
    Catalogue,
    Effect,
    EventType,
    Indicator,
    Locality,
    LocalityKey,
    LocalityKind,
    Measure,
    Tree,
)

NOON = datetime(2026, 11, 21, 5, tzinfo=UTC)
"""12:00 in Vietnam."""
REFORM = date(2025, 7, 1)
NATION = LocalityKey("VN", date(1976, 7, 2))
THANH_HOA = LocalityKey("38", REFORM)
HOANG_LOC = LocalityKey("15961", REFORM)

OPENED = "uptake.cashless.opened"
REFUNDED = "uptake.ecommerce.refunded"
COUNTED = "uptake.indicator.counted"
STATED = "uptake.indicator.stated"
CONTROL = "uptake.control.stated"
REVERSED = "uptake.event.reversed"

EVENT_TYPES = (
    EventType(OPENED, Effect.COUNT, "cashless_accounts", 1),
    EventType("uptake.cashless.closed", Effect.COUNT, "cashless_accounts", -1),
    EventType("uptake.ecommerce.completed", Effect.COUNT, "ecommerce_transactions", 1),
    EventType(REFUNDED, Effect.COUNT, "ecommerce_transactions", -1, amount_only=True),
    EventType(COUNTED, Effect.COUNT, None, 1),
    EventType(STATED, Effect.STATE, None, 0),
    EventType("uptake.eid.census", Effect.STATE, "cashless_accounts", 0),
    EventType(CONTROL, Effect.CONTROL, None, 0),
    EventType(REVERSED, Effect.REVERSE, None, 0),
)


def _indicator(id_: str, measure: Measure, *, has_amount: bool = False) -> Indicator:
    return Indicator(id_, id_, id_, measure, has_amount, "pieces", "none")


def _tree() -> Tree:
    province, commune = LocalityKind.PROVINCE, LocalityKind.COMMUNE
    cao_bang = LocalityKey("04", REFORM)
    until = date(2026, 11, 1)
    return Tree(
        (
            Locality(NATION, None, "Việt Nam", LocalityKind.NATION, None),
            Locality(THANH_HOA, None, "Thanh Hóa", province, NATION),
            Locality(cao_bang, None, "Cao Bằng", province, NATION),
            Locality(HOANG_LOC, None, "Hoằng Lộc", commune, THANH_HOA),
            Locality(
                LocalityKey("16000", REFORM), until, "Hoằng Cũ", commune, THANH_HOA
            ),
            Locality(
                LocalityKey("16000", until), None, "Hoằng Mới", commune, THANH_HOA
            ),
            Locality(
                LocalityKey("01273", REFORM), None, "Thục Phán", commune, cao_bang
            ),
        )
    )


BANK = Agency(
    id="bank",
    name="Bank",
    sources=("/vn/38/bank", "/vn/38/old"),
    indicators=frozenset(
        {"cashless_accounts", "ecommerce_transactions", "insurance_cards"}
    ),
    locality="38",
)
SHOP = Agency(
    id="shop",
    name="Shop",
    sources=("/vn/38/shop",),
    indicators=frozenset({"ecommerce_transactions"}),
    locality="15961",
)


def make_catalogue(*, timezone: str = "Asia/Ho_Chi_Minh") -> Catalogue:
    """Make a catalogue of two agencies, four indicators and two provinces."""
    indicators = (
        _indicator("cashless_accounts", Measure.STOCK),
        _indicator("ecommerce_transactions", Measure.FLOW, has_amount=True),
        _indicator("insurance_cards", Measure.STOCK),
        _indicator("eid_accounts", Measure.STOCK),
    )
    return Catalogue(
        timezone=timezone,
        indicators={indicator.id: indicator for indicator in indicators},
        event_types={type_.type: type_ for type_ in EVENT_TYPES},
        tree=_tree(),
        agencies={agency.id: agency for agency in (BANK, SHOP)},
        targets={},
    )


def make_door(
    agency: Agency = BANK,
    *,
    now: datetime = NOON,
    timezone: str = "Asia/Ho_Chi_Minh",
) -> Door:
    """Open the door to an agency; the window is 62 days."""
    return open_door(make_catalogue(timezone=timezone), agency, now)


def make_event(type_: str = OPENED, /, **changes: object) -> dict[str, Any]:
    """Make an event that is admitted, with members replaced; None removes one.

    Members of `data` are given as `data`, whole.
    """
    data: dict[str, object] = {"locality": "15961"}
    if type_ == COUNTED:
        data["indicator"] = "insurance_cards"
    elif type_ == STATED:
        data |= {"indicator": "cashless_accounts", "count": 5, "day": "2026-11-20"}
    elif type_ == CONTROL:
        data = {"indicator": "cashless_accounts", "count": 5, "day": "2026-11-20"}
    elif type_ == REVERSED:
        data = {"id": "e-1", "time": "2026-11-20T09:00:00+07:00"}
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/vn/38/bank",
        "type": type_,
        "time": "2026-11-21T09:00:00+07:00",
        "data": data,
        **changes,
    }
    return {name: value for name, value in event.items() if value is not None}


def make_data(type_: str = OPENED, /, **changes: object) -> dict[str, Any]:
    """Make an event that is admitted, with members of `data` replaced; None removes."""
    event = make_event(type_)
    data = {**event["data"], **changes}
    event["data"] = {name: value for name, value in data.items() if value is not None}
    return event


def record_of(event: object, door: Door | None = None) -> dict[str, Any]:
    """Return the record of an event that must be admitted."""
    decision = admit(event, door or make_door())
    assert isinstance(decision, Admitted), decision
    return dict(decision.record)


def refusal_of(event: object, door: Door | None = None) -> Refusal:
    """Return the refusal of an event that must be refused.

    Whatever is said must be one line that can be sent.
    """
    decision = admit(event, door or make_door())
    assert isinstance(decision, Refusal), decision
    assert decision.detail.isprintable()
    assert len(decision.detail) < 1_000
    (decision.id or "").encode()
    return decision


def code_of(event: object, door: Door | None = None) -> str:
    """Return the code with which an event is refused."""
    return refusal_of(event, door).code.value
