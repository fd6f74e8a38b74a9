"""Admit or refuse one event: the whole contract of DESIGN section 4, pure.

Whatever needs the clock or the catalogue is decided here, once, and travels with the
record: agency, indicator, effect, sign, leaf with valid_from, local day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from services.ingest.core.personal import find_personal, kind_of
from services.ingest.core.repeated import RepeatedKey
from services.ingest.core.text import (
    RefusedError,
    clean_text,
    echo,
    echo_name,
    format_instant,
    json_name,
    parse_day,
    parse_instant,
    whole_number,
)
from shared.catalogue.model import (
    Agency,
    Catalogue,
    Effect,
    EventType,
    Indicator,
    LocalityKey,
    Measure,
)
from shared.errors import RefusalCode

__all__ = ["Admitted", "Door", "Refusal", "RepeatedKey", "admit", "open_door"]

AHEAD_MAX: Final = timedelta(minutes=10)
COUNT_MAX: Final = 1_000_000_000
AMOUNT_MAX: Final = 1_000_000_000_000_000
ID_LENGTH_MAX: Final = 128
TEXT_LENGTH_MAX: Final = 256

_UNTOLD: Final = "what was sent looks like a person's number and is not repeated"
_MEMBERS: Final = {
    Effect.COUNT: frozenset({"indicator", "locality", "count", "amount"}),
    Effect.STATE: frozenset({"indicator", "locality", "count", "day"}),
    Effect.CONTROL: frozenset({"indicator", "count", "day"}),
    Effect.REVERSE: frozenset({"id", "source", "time"}),
}


@dataclass(frozen=True, slots=True)
class Admitted:
    """An event that may enter the log.

    Attributes:
        id: The event's id, for the receipt.
        record: The record, ready to be written as JSON.
    """

    id: str
    record: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that may not, and why.

    Attributes:
        id: The event's id as far as it could be read; None if it names a person.
        claimed: The other agency in whose name it was sent, for the audit alone.
    """

    id: str | None
    code: RefusalCode
    detail: str
    claimed: str | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """What every decision of one request shares.

    Attributes:
        agency: Whose key it was.
        now: The instant of the request.
        zone: The catalogue's time zone; it decides the local day.
        oldest_open_day: The first local day that still takes events.
    """

    catalogue: Catalogue
    agency: Agency
    now: datetime
    zone: ZoneInfo
    oldest_open_day: date


def open_door(catalogue: Catalogue, agency: Agency, now: datetime) -> Door:
    """Prepare the decisions of one request.

    Args:
        catalogue: What may be reported, by whom, where.
        agency: Whose key it was.
        now: The instant of the request, aware.
    """
    zone = ZoneInfo(catalogue.timezone)
    today = now.astimezone(zone).date()
    return Door(
        catalogue=catalogue,
        agency=agency,
        now=now,
        zone=zone,
        oldest_open_day=today - timedelta(days=catalogue.window_days - 1),
    )


def admit(raw: object, door: Door) -> Admitted | Refusal:
    """Admit or refuse one event.

    Args:
        raw: The parsed JSON value.
        door: The request's context.
    """
    try:
        return _admit(raw, door)
    except RefusedError as refused:
        found = raw.get("id") if isinstance(raw, dict) else None
        event_id = None
        # An id that names a person is not repeated; the index says which event it is.
        if isinstance(found, str) and kind_of(found) is None:
            event_id = _fit_to_tell(echo(found[:ID_LENGTH_MAX]))
        claimed = None
        if refused.code is RefusalCode.SOURCE_NOT_YOURS:
            claimed = _claimed_agency(raw, door)
        detail = _fit_to_tell(refused.detail) or _UNTOLD
        return Refusal(event_id, refused.code, detail, claimed)


def _fit_to_tell(text: str) -> str | None:
    """Return a text unless it looks like a person's now that it is cut and escaped."""
    return text if kind_of(text) is None else None


def _claimed_agency(raw: object, door: Door) -> str | None:
    """Name the other agency whose source an event bears, its own or its original's."""
    sources: list[object] = []
    if isinstance(raw, dict):
        sources.append(raw.get("source"))
        if isinstance(data := raw.get("data"), dict):
            sources.append(data.get("source"))
    for source in sources:
        if isinstance(source, str):
            owner = door.catalogue.agency_for_source(source)
            if owner is not None and owner.id != door.agency.id:
                return owner.id
    return None


def _admit(raw: object, door: Door) -> Admitted:
    # Before all else, since other refusals repeat what was sent.
    if (personal := find_personal(raw)) is not None:
        raise RefusedError(
            RefusalCode.PERSONAL_DATA,
            f"{personal}; events name no person: send an id that you made up for it",
        )
    event = _object(raw, "the event", RefusalCode.NOT_AN_OBJECT)
    for name, value in event.items():
        if isinstance(value, RepeatedKey):
            # Also where nothing reads the member: such JSON has no one meaning.
            _object(value, echo_name(name), RefusalCode.DUPLICATE_KEY)
    if event.get("specversion") != "1.0":
        raise RefusedError(RefusalCode.BAD_SPECVERSION, 'specversion must be "1.0"')
    event_id = clean_text(event.get("id"), "id", RefusalCode.BAD_ID, ID_LENGTH_MAX)
    source = _own_source(event.get("source"), "source", door)
    type_ = _event_type(event.get("type"), door)
    instant = parse_instant(event.get("time"), "time")
    local_day = _open_day(instant, "time", door)
    data = _object(event.get("data"), "data", RefusalCode.BAD_DATA)
    _check_members(data, type_)
    record: dict[str, object] = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": type_.type,
        "time": format_instant(instant),
        "agency": door.agency.id,
        "localday": local_day.isoformat(),
        "effect": type_.effect.value,
    }
    match type_.effect:
        case Effect.COUNT:
            _decide_count(record, data, type_, local_day, door)
        case Effect.STATE | Effect.CONTROL:
            _decide_stated(record, data, type_, local_day, door)
        case Effect.REVERSE:
            _decide_reversal(record, data, source, door)
    return Admitted(event_id, record)


def _decide_count(
    record: dict[str, object],
    data: Mapping[str, object],
    type_: EventType,
    local_day: date,
    door: Door,
) -> None:
    indicator = _indicator(data, type_, door)
    count = whole_number(
        data.get("count", 1), "data.count", RefusalCode.BAD_COUNT, 1, COUNT_MAX
    )
    if type_.amount_only and count != 1:
        raise RefusedError(
            RefusalCode.BAD_COUNT,
            f"{type_.type} takes back an amount, never a count; leave data.count out",
        )
    amount = whole_number(
        data.get("amount", 0), "data.amount", RefusalCode.BAD_AMOUNT, 0, AMOUNT_MAX
    )
    if "amount" in data and not indicator.has_amount:
        raise RefusedError(
            RefusalCode.AMOUNT_NOT_ALLOWED,
            f"indicator {indicator.id} has no amount; leave data.amount out",
        )
    leaf = _leaf(data.get("locality"), local_day, door)
    record["indicator"] = indicator.id
    record["sign"] = type_.sign
    record["locality"] = leaf.code
    record["validfrom"] = leaf.valid_from.isoformat()
    record["data"] = {"count": count, "amount": amount}
    if type_.amount_only:
        record["effect"] = "amount"


def _decide_stated(
    record: dict[str, object],
    data: Mapping[str, object],
    type_: EventType,
    local_day: date,
    door: Door,
) -> None:
    indicator = _indicator(data, type_, door)
    count = whole_number(
        data.get("count"), "data.count", RefusalCode.BAD_COUNT, 0, AMOUNT_MAX
    )
    day = parse_day(data.get("day"), "data.day")
    if day > local_day:
        raise RefusedError(
            RefusalCode.BAD_DAY,
            f"data.day {day} lies after the event's own local day {local_day}",
        )
    if type_.effect is Effect.STATE:
        if indicator.measure is not Measure.STOCK:
            raise RefusedError(
                RefusalCode.NOT_A_STOCK,
                f"indicator {indicator.id} is a flow; only stocks can be stated",
            )
        leaf = _leaf(data.get("locality"), day, door)
        record["locality"] = leaf.code
        record["validfrom"] = leaf.valid_from.isoformat()
    record["indicator"] = indicator.id
    record["data"] = {"count": count, "day": day.isoformat()}


def _decide_reversal(
    record: dict[str, object], data: Mapping[str, object], source: str, door: Door
) -> None:
    original_id = clean_text(
        data.get("id"), "data.id", RefusalCode.BAD_REVERSED_ID, ID_LENGTH_MAX
    )
    original_source = _own_source(data.get("source", source), "data.source", door)
    instant = parse_instant(data.get("time"), "data.time")
    _open_day(instant, "data.time", door)
    record["data"] = {
        "id": original_id,
        "source": original_source,
        "time": format_instant(instant),
    }


def _object(value: object, name: str, code: RefusalCode) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    if isinstance(value, RepeatedKey):
        raise RefusedError(
            RefusalCode.DUPLICATE_KEY, f"{name} holds the key {value.key!r} twice"
        )
    raise RefusedError(code, f"{name} must be a JSON object, not {json_name(value)}")


def _own_source(value: object, name: str, door: Door) -> str:
    source = clean_text(value, name, RefusalCode.BAD_SOURCE, TEXT_LENGTH_MAX)
    agency = door.agency
    if not agency.owns_source(source):
        raise RefusedError(
            RefusalCode.SOURCE_NOT_YOURS,
            f"{name} {source!r}: agency {agency.id} may not send as that here; "
            f"it may send as {', '.join(agency.sources)} and below",
        )
    return source


def _event_type(value: object, door: Door) -> EventType:
    name = clean_text(value, "type", RefusalCode.BAD_TYPE, TEXT_LENGTH_MAX)
    type_ = door.catalogue.event_types.get(name)
    if type_ is None:
        raise RefusedError(
            RefusalCode.UNKNOWN_TYPE,
            f"type {name!r} is none of {', '.join(sorted(door.catalogue.event_types))}",
        )
    return type_


def _open_day(instant: datetime, name: str, door: Door) -> date:
    if instant > door.now + AHEAD_MAX:
        raise RefusedError(
            RefusalCode.TIME_AHEAD, f"{name} is more than 10 minutes ahead of our clock"
        )
    try:
        day = instant.astimezone(door.zone).date()
    except OverflowError:
        # Of the year 1, in a zone west of UTC.
        day = date.min
    if day < door.oldest_open_day:
        raise RefusedError(
            RefusalCode.TOO_LATE,
            f"{name} falls on {day}, which is closed; the oldest open day is "
            f"{door.oldest_open_day}",
        )
    return day


def _check_members(data: Mapping[str, object], type_: EventType) -> None:
    """Refuse members that would be ignored: a misspelt count would count as 1."""
    allowed = _MEMBERS[type_.effect]
    if type_.indicator is not None:
        allowed -= {"indicator"}
    for name in sorted(data):
        if name not in allowed:
            raise RefusedError(
                RefusalCode.BAD_DATA,
                f"data has no member {echo_name(name)!r} in {type_.type}; "
                f"it may have {', '.join(sorted(allowed))}",
            )


def _indicator(data: Mapping[str, object], type_: EventType, door: Door) -> Indicator:
    name = type_.indicator
    if name is None:
        name = clean_text(
            data.get("indicator"),
            "data.indicator",
            RefusalCode.UNKNOWN_INDICATOR,
            TEXT_LENGTH_MAX,
        )
    indicator = door.catalogue.indicators.get(name)
    if indicator is None:
        raise RefusedError(
            RefusalCode.UNKNOWN_INDICATOR, f"the catalogue has no indicator {name!r}"
        )
    if name not in door.agency.indicators:
        raise RefusedError(
            RefusalCode.INDICATOR_NOT_YOURS,
            f"agency {door.agency.id} may not report {name} here; "
            f"it may report {', '.join(sorted(door.agency.indicators))}",
        )
    return indicator


def _leaf(value: object, day: date, door: Door) -> LocalityKey:
    code = clean_text(value, "data.locality", RefusalCode.BAD_LOCALITY, TEXT_LENGTH_MAX)
    tree = door.catalogue.tree
    leaf = tree.leaf_for(code, day)
    if leaf is None:
        near = tree.nearest_codes(code)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise RefusedError(
            RefusalCode.UNKNOWN_LOCALITY,
            f"{code!r}: no place bears this code on {day}{hint}",
        )
    if not tree.is_within(leaf, door.agency.locality, day):
        raise RefusedError(
            RefusalCode.LOCALITY_NOT_YOURS,
            f"agency {door.agency.id} may report for "
            f"{door.agency.locality} and below; the event is about {code}",
        )
    return leaf
