"""Admit what is like something that was admitted before, by that precedent.

Two plain events of one sender are alike that have source, type, indicator, locality
and local day in common: `admit` can tell them apart by id, instant, count and amount
only. So it is asked about the first of them, and the others get the same record with
their own id, instant and figures. What is not plain in any way is asked about each
time. ADR 0021 says what that saves; a property test holds both to the same words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from services.ingest.core.admission import AHEAD_MAX, Admitted, Door, Refusal, admit
from services.ingest.core.personal import kind_of
from services.ingest.core.text import format_instant
from shared.catalogue.model import Agency, Catalogue

ABSENT: Final = -1
"""Stands for a figure that was not sent; no figure is negative."""

# All bounded, for whatever is sent: together some ten megabytes at most.
PRECEDENTS_MAX: Final = 16_384
HOURS_MAX: Final = 4_096
AGENCIES_MAX: Final = 1_024

# Of what the contract takes, the forms that nearly every program writes.
_INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3])):([0-5]\d:[0-5]\d)(?:\.(\d{1,9}))?"
    r"(Z|[+-](?:[01]\d|2[0-3]):00)",
    re.ASCII,
)
_HOUR: Final = timedelta(hours=1)
_NONE_SENT: Final = ("", "", "")
_TICK: Final = timedelta(microseconds=1)


class PlainData:
    """What a plain event says; its decoder has checked type and bounds of each.

    Attributes:
        locality: A code, 1 to 256 characters.
        indicator: Empty where it is not sent.
        count: 1 to 10^9, or `ABSENT`.
        amount: 0 to 10^15, or `ABSENT`.
    """

    __slots__ = ()
    locality: str
    indicator: str
    count: int
    amount: int


class PlainEvent:
    """An event in which nothing is out of the ordinary.

    Its JSON has no other members than these, none of them twice, and neither escapes
    nor characters beyond ASCII. Its specversion is 1.0.

    Attributes:
        id: 1 to 128 characters.
        source: 1 to 256 characters.
        type: 1 to 256 characters.
        subject: Empty where it is not sent, as are the next two. None of the three
            enters the log.
    """

    __slots__ = ()
    id: str
    source: str
    type: str
    time: str
    data: PlainData
    subject: str
    datacontenttype: str
    dataschema: str


_Like = tuple[int, str, str, str, str, str, bool]
"""What all events have in common that one precedent serves: the number of the agency,
source, type, indicator, locality, local day, and whether there is an amount. A bare
tuple, since one is made for each event."""


class _Precedent(NamedTuple):
    """The JSON of a record, without what differs.

    Attributes:
        after_id: What stands between id and instant.
        after_time: What stands between instant and count.
        is_amount_only: Whether the count must be 1.
    """

    after_id: str
    after_time: str
    is_amount_only: bool


class _Hour(NamedTuple):
    """An hour that lies on one local day: `2026-11-21T09` in UTC, and that day."""

    utc: str
    local_day: str


_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(slots=True)
class _Bounded(Generic[_Key, _Value]):
    """A dictionary that is emptied when it is full; all of it can be found anew."""

    most: int
    found: dict[_Key, _Value]

    def add(self, key: _Key, value: _Value) -> _Value:
        if len(self.found) >= self.most:
            self.found.clear()
        self.found[key] = value
        return value


class _Known:
    """What was found under one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.precedents: _Bounded[_Like, _Precedent] = _Bounded(PRECEDENTS_MAX, {})
        self._zone = ZoneInfo(catalogue.timezone)
        self.hours: _Bounded[tuple[str, str], _Hour | None] = _Bounded(HOURS_MAX, {})
        self.agencies: _Bounded[Agency, int] = _Bounded(AGENCIES_MAX, {})
        self._last_number = 0

    def number_of(self, agency: Agency) -> int:
        """Number an agency; with a key that is bound otherwise, it is another one.

        No number is given twice, so what was forgotten cannot be mistaken.
        """
        number = self.agencies.found.get(agency)
        if number is None:
            self._last_number += 1
            number = self.agencies.add(agency, self._last_number)
        return number

    def hour(self, begin: str, offset: str) -> _Hour | None:
        """Find where an hour lies; None where it must be looked at more closely."""
        key = (begin, offset)
        try:
            return self.hours.found[key]
        except KeyError:
            return self.hours.add(key, _find_hour(begin, offset, self._zone))


class Precedents:
    """What was admitted before; shared by all requests."""

    def __init__(self) -> None:
        self._known: _Known | None = None

    def open(self, door: Door) -> "PlainDoor":
        """Prepare the decisions of one request.

        Under another catalogue nothing holds that was found before; requests that are
        open keep what was found under theirs.
        """
        if self._known is None or self._known.catalogue is not door.catalogue:
            self._known = _Known(door.catalogue)
        return PlainDoor(self._known, door)


class PlainDoor:
    """Decides on the plain events of one request."""

    def __init__(self, known: _Known, door: Door) -> None:
        self._known = known
        self._door = door
        self._agency = known.number_of(door.agency)
        self._latest = format_instant((door.now + AHEAD_MAX).astimezone(UTC))
        self._oldest_day = door.oldest_open_day.isoformat()

    def admit(self, event: PlainEvent) -> bytes | Admitted | Refusal:
        """Admit or refuse one event, as `admit` does.

        Returns:
            For an event that has a precedent its record as it stands in the log.
        """
        time, day = self._instant_of(event)
        if not time or not _is_plain_id(event):
            return admit(members_of(event), self._door)
        data = event.data
        like = (
            self._agency,
            event.source,
            event.type,
            data.indicator,
            data.locality,
            day,
            data.amount != ABSENT,
        )
        precedent = self._known.precedents.found.get(like)
        if precedent is None:
            return self._decide_first(event, like)
        count = data.count if data.count != ABSENT else 1
        if precedent.is_amount_only and count != 1:
            return admit(members_of(event), self._door)
        amount = data.amount if data.amount != ABSENT else 0
        return (
            f'{{"specversion":"1.0","id":"{event.id}{precedent.after_id}{time}'
            f'{precedent.after_time}{count},"amount":{amount}}}}}'
        ).encode()

    def _instant_of(self, event: PlainEvent) -> tuple[str, str]:
        """Return instant and local day; empty where they may be none that is taken."""
        match = _INSTANT.fullmatch(event.time)
        if match is None:
            return "", ""
        begin, rest, fraction, offset = match.groups("")
        hour = self._known.hour(begin, offset)
        if hour is None:
            return "", ""
        utc, day = hour
        # Filled up, or cut, to microseconds.
        time = f"{utc}:{rest}.{fraction:0<6.6}Z"
        # In these forms the later one is also the greater text.
        if time > self._latest or day < self._oldest_day:
            return "", ""
        return time, day

    def _decide_first(self, event: PlainEvent, like: _Like) -> Admitted | Refusal:
        decision = admit(members_of(event), self._door)
        if isinstance(decision, Admitted):
            precedent = _precedent_of(decision.record)
            if precedent is not None:
                self._known.precedents.add(like, precedent)
        return decision


def members_of(event: PlainEvent) -> Mapping[str, object]:
    """Return a plain event as strict JSON would have given it."""
    data: dict[str, object] = {"locality": event.data.locality}
    if event.data.indicator:
        data["indicator"] = event.data.indicator
    if event.data.count != ABSENT:
        data["count"] = event.data.count
    if event.data.amount != ABSENT:
        data["amount"] = event.data.amount
    members: dict[str, object] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time,
        "data": data,
    }
    for name in ("subject", "datacontenttype", "dataschema"):
        if value := getattr(event, name):
            members[name] = value
    return members


def _is_plain_id(event: PlainEvent) -> bool:
    """Tell whether an id is clean, and neither it nor a subject names a person.

    The other texts are those of the precedent, which named none.
    """
    id_ = event.id
    if not id_.isprintable() or kind_of(id_) is not None:
        return False
    others = (event.subject, event.datacontenttype, event.dataschema)
    return others == _NONE_SENT or all(kind_of(other) is None for other in others)


def _find_hour(begin: str, offset: str, zone: ZoneInfo) -> _Hour | None:
    try:
        first = datetime.fromisoformat(f"{begin}:00:00{offset}")
        last = first + (_HOUR - _TICK)
        local, local_last = first.astimezone(zone), last.astimezone(zone)
        utc = first.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    # A zone may be half an hour apart, or change its clocks.
    if local.utcoffset() != local_last.utcoffset() or local.date() != local_last.date():
        return None
    return _Hour(utc.isoformat()[:13], local.date().isoformat())


def _precedent_of(record: Mapping[str, object]) -> _Precedent | None:
    """Cut a record where others differ; None where it is of a kind that is rare."""
    if "sign" not in record:
        return None
    # None of these texts has a character that JSON escapes: a plain event has none, and
    # the catalogue's words are plain.
    return _Precedent(
        f'","source":"{record["source"]}","type":"{record["type"]}","time":"',
        f'","agency":"{record["agency"]}","localday":"{record["localday"]}",'
        f'"effect":"{record["effect"]}","indicator":"{record["indicator"]}",'
        f'"sign":{record["sign"]},"locality":"{record["locality"]}",'
        f'"validfrom":"{record["validfrom"]}","data":{{"count":',
        record["effect"] == "amount",
    )
