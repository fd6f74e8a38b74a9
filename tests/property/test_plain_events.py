"""The quick way through the door and the strict one say the same, word for word."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from services.ingest.core import precedents as module
from services.ingest.core.admission import Admitted, Door, Refusal, admit
from services.ingest.core.json_text import (
    EventBounds,
    NotJsonError,
    decode_text,
    parse_batch,
    parse_event,
)
from services.ingest.core.precedents import PlainEvent, Precedents
from services.ingest.core.receipt import Deciding
from services.ingest.wire.modes import BatchBounds, Mode, events_of
from services.ingest.wire.plain import decode_plain, read_event, read_line
from services.ingest.wire.problems import ProblemError
from tests.unit.ingest.doors import (
    BANK,
    COUNTED,
    EVENT_TYPES,
    NOON,
    OPENED,
    REFUNDED,
    SHOP,
    make_catalogue,
    make_data,
    make_door,
    make_event,
)

# Many examples, on machines that may be slow.
pytestmark = pytest.mark.timeout(120)

BOUNDS = EventBounds(bytes_max=700, nesting_max=4)
EVENTS_MAX = 5
Verdict = bytes | Refusal | str

INDICATORS = ("cashless_accounts", "ecommerce_transactions", "insurance_cards", "no")
PEOPLE = ("001090012345", "0912345678", "+84912345678", "an.b@example.vn")
NUMBERS = (
    *(
        "0",
        "1",
        "2",
        "-0",
        "-1",
        "1.0",
        "1e0",
        "01",
        "true",
        "null",
        '"1"',
        "NaN",
        "[]",
    ),
    *("1000000000", "1000000001", "1000000000000000", "1000000000000001", "9" * 4_400),
)
CODES = ("15961", "16000", "38", "04", "01273", "VN", "99999", "38-unallocated")
SOURCES = ("/vn/38/bank", "/vn/38/bank/1", "/vn/38/bank2", "/vn/38/shop", "/vn/38/old")
ODD_TEXTS = (
    *('""', '"\\u0061"', '"\u0111"', '"\x7f"', '"\t"', '"\\""', '"\\ud800"', "1"),
    *("null", "{}", '["a"]', f'"{"x" * 128}"', f'"{"x" * 129}"', f'"{"x" * 257}"'),
    *(f'"{person}"' for person in PEOPLE),
)
ZONES = ("Asia/Ho_Chi_Minh", "Asia/Kolkata", "Europe/Berlin", "America/St_Johns")
SPACES = ("", "", "", " ", "\n", "\r\t", "\v", "\u00a0", " " * 300)


IDS = st.one_of(
    st.uuids().map(lambda made: made.hex),
    st.text("0123456789abc-+@", min_size=1, max_size=20),
)
EDGES = (
    NOON,
    NOON + timedelta(minutes=10),
    datetime.fromisoformat("2026-09-21T00:00:00+07:00"),
    datetime.fromisoformat("2026-11-01T00:00:00+07:00"),
    datetime.fromisoformat("2026-10-25T01:00:00+00:00"),
)
OFFSETS = (
    "Z",
    "z",
    "+07:00",
    "+00:00",
    "-05:00",
    "+05:30",
    "+07:99",
    "+24:00",
    "",
    " ",
)


@st.composite
def times(draw: st.DrawFn) -> str:
    """Write an instant near what decides, in any form that programs write."""
    seconds = draw(st.integers(-4_000, 4_000) | st.sampled_from([0, 1, -1]))
    instant = draw(st.sampled_from(EDGES)) + timedelta(seconds=seconds)
    zone = draw(st.sampled_from(["UTC", "Asia/Ho_Chi_Minh", "America/New_York"]))
    local = instant.astimezone(ZoneInfo(zone))
    fraction = draw(st.text("0123456789", max_size=9))
    offset = "Z" if zone == "UTC" and draw(st.booleans()) else local.isoformat()[-6:]
    text = local.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction}{offset}" if fraction else f"{text}{offset}"


@st.composite
def odd_times(draw: st.DrawFn) -> str:
    """Write an instant with one character that is another one."""
    text = draw(times())
    at = draw(st.integers(0, len(text) - 1))
    return text[:at] + draw(st.sampled_from("0259T:-٣ tz+")) + text[at + 1 :]


TYPES = [each.type for each in EVENT_TYPES]
INSTANTS = times() | st.sampled_from([f"2026-11-21T02:00:00{each}" for each in OFFSETS])
MEMBERS = {
    "id": IDS,
    "source": st.sampled_from(["/vn/38/bank", "/vn/38/bank/1", "/vn/38/shop"]),
    "type": st.sampled_from([OPENED, "uptake.ecommerce.completed", REFUNDED, COUNTED]),
    "time": st.just("2026-11-21T09:00:00+07:00") | times(),
}
ODD_MEMBERS = {
    "id": st.sampled_from(PEOPLE) | st.text(max_size=9),
    "source": st.sampled_from(SOURCES),
    "type": st.sampled_from([*TYPES, "x"]),
    "time": INSTANTS | odd_times(),
}
OTHERS = {
    "subject": st.text("abc /", min_size=1, max_size=9) | st.sampled_from(PEOPLE),
    "datacontenttype": st.just("application/json") | st.sampled_from(PEOPLE),
    "dataschema": st.just("/schemas/1") | st.sampled_from(PEOPLE),
    "traceparent": st.text("0123456789abcdef-", max_size=30),
}
ODD_FIGURES = {
    "count": st.sampled_from(NUMBERS),
    "amount": st.sampled_from(NUMBERS),
    "indicator": st.sampled_from(INDICATORS).map(json.dumps),
    "locality": st.sampled_from(CODES).map(json.dumps),
    "day": st.just('"2026-11-20"'),
    "time": st.just('"2026-11-20T09:00:00Z"'),
}
FAULTS = (*ODD_MEMBERS, *OTHERS, *(f"data.{name}" for name in ODD_FIGURES))
MANGLED = ("specversion", "twice", "missing", "escaped", "odd text", "space")


@st.composite
def objects(draw: st.DrawFn, members: dict[str, str], faults: set[str]) -> str:
    """Write an object, in any order; with faults in how it is written."""
    pairs = draw(st.permutations(list(members.items())))
    if "twice" in faults:
        name, value = draw(st.sampled_from(pairs))
        pairs = [*pairs, (name, draw(st.sampled_from([value, "1", '"a"', "{}"])))]
    if "missing" in faults:
        pairs = pairs[1:]
    if "odd text" in faults:
        pairs[0] = (pairs[0][0], draw(st.sampled_from(ODD_TEXTS)))
    space = draw(st.sampled_from(SPACES if "space" in faults else ("", " ")))
    texts = [f'{space}"{name}"{space}:{space}{value}' for name, value in pairs]
    text = f"{{{','.join(texts)}{space}}}"
    return text.replace("o", "\\u006f") if "escaped" in faults else text


@st.composite
def events(draw: st.DrawFn) -> str:
    """Write an event that is right but for a few faults."""
    faults = draw(st.sets(st.sampled_from([*FAULTS, *MANGLED]), max_size=2))
    type_ = draw(ODD_MEMBERS["type"] if "type" in faults else MEMBERS["type"])
    data = {"locality": '"15961"', "count": draw(st.integers(1, 9).map(str))}
    if type_.startswith("uptake.ecommerce"):
        data["amount"] = draw(st.integers(0, 9).map(str))
    if type_ == COUNTED:
        data["indicator"] = '"insurance_cards"'
    if type_ == REFUNDED and draw(st.booleans()):
        del data["count"]
    for name, each in ODD_FIGURES.items():
        if f"data.{name}" in faults:
            data[name] = draw(each)
    members = {
        name: draw((ODD_MEMBERS if name in faults else MEMBERS)[name])
        for name in MEMBERS
    }
    members["type"] = type_
    members |= {name: draw(each) for name, each in OTHERS.items() if name in faults}
    version = (
        draw(st.sampled_from(["1", "1.0 ", ""])) if "specversion" in faults else ""
    )
    members["specversion"] = version or "1.0"
    texts = {name: json.dumps(value) for name, value in members.items()}
    inside = faults if draw(st.booleans()) else set[str]()
    texts["data"] = draw(objects(data, inside))
    return draw(objects(texts, faults - inside))


def decided(decision: Admitted | Refusal | bytes) -> Verdict:
    """Write what was decided; what is admitted, as it stands in the log."""
    if isinstance(decision, Admitted):
        return msgspec.json.encode(decision.record)
    return decision


def strictly(text: bytes, door: Door) -> Verdict:
    """Decide without the quick way."""
    try:
        event = parse_event(decode_text(text), BOUNDS)
    except NotJsonError as error:
        return str(error)
    return decided(event if isinstance(event, Refusal) else admit(event, door))


def as_served(text: bytes, door: Door, precedents: Precedents) -> Verdict:
    """Decide as the door does."""
    try:
        event = read_event(text, BOUNDS)
    except NotJsonError as error:
        return str(error)
    if isinstance(event, PlainEvent):
        return decided(precedents.open(door).admit(event))
    return decided(event if isinstance(event, Refusal) else admit(event, door))


DOORS = {
    (agency.id, zone): make_door(agency, timezone=zone)
    for agency in (BANK, SHOP)
    for zone in ZONES
}
SHARED = {zone: Precedents() for zone in ZONES}
CATALOGUES = {zone: make_catalogue(timezone=zone) for zone in ZONES}


def door_of(agency: str, zone: str) -> Door:
    """Return a door; all doors of a zone have one catalogue, and so share."""
    return replace(DOORS[agency, zone], catalogue=CATALOGUES[zone])


@settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
@given(events(), st.sampled_from(["bank", "bank", "shop"]), st.sampled_from(ZONES))
@example(json.dumps(make_event()), "bank", ZONES[0])
@example(json.dumps(make_data(COUNTED, amount=3)), "bank", ZONES[0])
@example(json.dumps(make_data(REFUNDED, amount=3)), "bank", ZONES[0])
@example(json.dumps(make_data(REFUNDED, amount=3, count=2)), "bank", ZONES[0])
@example(json.dumps(make_event(id="001090012345")), "bank", ZONES[0])
@example(json.dumps(make_event(subject="0912345678")), "bank", ZONES[0])
@example(json.dumps(make_event(id="a\\b")), "bank", ZONES[0])
@example(json.dumps(make_event(id="a\x7f")), "bank", ZONES[0])
@example(json.dumps(make_event()) + " " * BOUNDS.bytes_max, "bank", ZONES[0])
@example(json.dumps(make_event(), indent=90), "bank", ZONES[0])
@example(json.dumps(make_data(count=0)), "bank", ZONES[0])
@example(json.dumps(make_data(amount=0)), "bank", ZONES[0])
@example(json.dumps(make_event(time="2026-11-20T18:59:00Z")), "bank", ZONES[1])
@example(json.dumps(make_event(time="2026-11-20T18:01:00Z")), "bank", ZONES[1])
def test_quick_way_decides_as_the_strict_one(text: str, agency: str, zone: str) -> None:
    """Asked twice, since the second time there may be a precedent; and others' are."""
    door, sent = door_of(agency, zone), text.encode()
    expected = strictly(sent, door)
    for _ in range(2):
        assert as_served(sent, door, SHARED[zone]) == expected


@given(st.lists(events(), max_size=EVENTS_MAX + 1), st.sampled_from(SPACES))
@example(["{}", "1", '{"a": 1,}'], "\n")
@example(["{}", "\n["], "\n")
def test_batch_is_decided_as_its_events_are(texts: list[str], space: str) -> None:
    """Or is the problem that the strict way has with it, with its place."""
    body = f"{space}[{space}{f'{space},'.join(texts)}{space}]{space}".encode()
    door = door_of("bank", ZONES[0])
    deciding = Deciding(door, SHARED[ZONES[0]])
    bounds = BatchBounds(EVENTS_MAX, BOUNDS)
    found = ""
    try:
        deciding.add(events_of(Mode.BATCH, body, Headers(), bounds))
    except ProblemError as problem:
        found = f"{problem.slug}: {problem.detail.partition(';')[0]}"
    assert found == _problem_of(body)
    if found:
        return
    verdicts = [strictly(text, door) for text in _cut(body)]
    admitted = [verdict for verdict in verdicts if isinstance(verdict, bytes)]
    refused = [
        (index, verdict)
        for index, verdict in enumerate(verdicts)
        if isinstance(verdict, Refusal)
    ]
    assert [decided(each) for each in deciding.decided.admitted] == admitted
    assert list(deciding.decided.refused) == refused
    assert deciding.received == len(verdicts) == len(texts)


def _cut(body: bytes) -> list[bytes]:
    """Cut a batch by hand: where a comma stands between two events."""
    decoder, text = json.JSONDecoder(), body.decode()
    at = text.index("[") + 1
    found: list[bytes] = []
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(" \t\n\r,"))
        if text[at] == "]":
            return found
        _, end = decoder.raw_decode(text, at)
        found.append(text[at:end].encode())
        at = end


def _problem_of(body: bytes) -> str:
    """Say what is wrong with a body, as the strict way finds it; empty if nothing."""
    count = 0
    try:
        for count, _ in enumerate(parse_batch(decode_text(body), BOUNDS), 1):
            if count > EVENTS_MAX:
                return f"batch-too-long: more than {EVENTS_MAX} events"
    except NotJsonError as error:
        return f"not-json: {error}"
    return "" if count else "empty-batch: send at least one event"


def test_plain_event_goes_the_quick_way() -> None:
    """The second of its like is written by the precedent of the first."""
    precedents, door = Precedents(), make_door()
    made = [
        json.dumps(make_event(id=f"e-{number}", subject="a", time=time)).encode()
        for number, time in enumerate(
            ["2026-11-21T09:00:00+07:00", "2026-11-21T02:59:59.9999999Z"]
        )
    ]
    first, second = (read_line(text, BOUNDS) for text in made)
    assert isinstance(first, PlainEvent)
    assert isinstance(second, PlainEvent)
    opened = precedents.open(door)
    assert isinstance(opened.admit(first), Admitted)
    written_at_once = opened.admit(second)
    assert isinstance(written_at_once, bytes)
    assert b'"time":"2026-11-21T02:59:59.999999Z"' in written_at_once
    assert written_at_once == strictly(made[1], door)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is sent; what was forgotten is found again."""
    for limit in ("PRECEDENTS_MAX", "HOURS_MAX", "AGENCIES_MAX"):
        monkeypatch.setattr(module, limit, 2)
    precedents, door = Precedents(), make_door()
    for number in range(40):
        agency = replace(BANK, name=f"bank {number % 3}")
        event = make_event(
            source=f"/vn/38/bank/{number % 5}", time=f"2026-11-21T0{number % 4}:00:00Z"
        )
        text = json.dumps(event).encode()
        plain = decode_plain(text, BOUNDS.bytes_max)
        assert plain is not None
        now = replace(door, agency=agency)
        assert decided(precedents.open(now).admit(plain)) == strictly(text, now)
        known = precedents._known
        assert known is not None
        for held in (known.precedents, known.hours, known.agencies):
            assert len(held.found) <= 2
