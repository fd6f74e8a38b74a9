"""Makes events from rows: what each cell means, and what cannot be an event.

Only what could not be written down as an event is refused here; all else is
ingest's to judge, so that a file and a system get the same answers.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from services.cli.send_columns import Attribute
from services.cli.send_files import Refusal
from services.cli.send_sheets import BrokenCell, Digits
from shared.errors import RefusalCode

COUNTED: Final = "uptake.indicator.counted"
# These concern no place, so a file of them needs no column for one.
PLACELESS_TYPES: Final = frozenset({"uptake.control.stated", "uptake.event.reversed"})
DIGITS_MAX: Final = 18
SHOWN_MAX: Final = 60
# A number of so many digits is a commune's code that lost no zero in front.
CODE_DIGITS: Final = 5

_WHOLE: Final = re.compile(rf"[+-]?[0-9]{{1,{DIGITS_MAX}}}")
_DATE_ONLY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
)
_TURNED_DATE: Final = re.compile(
    r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{2,4})(?: +([0-9].*))?"
)
_GROUPED: Final = r"[+-]?[0-9]{1,3}(?:%s[0-9]{3})+"
_NOON: Final = time(12)

Cells = Mapping[Attribute, object]


class DateOrder(StrEnum):
    """How dates like 03/11/2026 are meant."""

    DMY = "dmy"
    MDY = "mdy"


@dataclass(frozen=True, slots=True)
class RowDefaults:
    """What holds for every row that does not say otherwise.

    Attributes:
        source: The sender's source; None when rows must bring their own.
        type: Event type for rows without one.
        indicator: Indicator for rows without one.
        timezone: Where a bare date is noon, and where times without offset are told.
        dates: How dates with the year behind are meant; None refuses them.
        thousands: What stands between groups of three digits; None refuses groups.
    """

    source: str | None
    type: str | None
    indicator: str | None
    timezone: ZoneInfo
    dates: DateOrder | None = None
    thousands: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that may still lack its id.

    Attributes:
        event: Attributes of a CloudEvent, ready for JSON.
        content: What makes two rows equal, after defaults.
    """

    event: Mapping[str, object]
    content: tuple[object, ...]


class _RefusedError(Exception):
    """Carries a refusal out of the mapping of one cell."""

    def __init__(self, code: RefusalCode, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(code.value, detail)


def quote(value: object) -> str:
    """Show a cell in a message, cut to a bearable length."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return f'"{text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 1] + "…"}"'


def map_row_to_draft(cells: Cells, defaults: RowDefaults) -> Draft | Refusal:
    """Make an event of a row's cells.

    Args:
        cells: By meaning; empty texts and null count as absent.
        defaults: What rows leave out.
    """
    given = {name: _trim(value) for name, value in cells.items()}
    given = {name: value for name, value in given.items() if not _is_absent(value)}
    try:
        return _draft(given, defaults)
    except _RefusedError as error:
        return error.refusal


def _trim(value: object) -> object:
    """Take blanks away; what a sheet's cell is besides a text must not go with them."""
    return value.strip() if type(value) is str else value


def _is_absent(value: object) -> bool:
    return value is None or (type(value) is str and not value)


def map_cloud_event_to_draft(
    event: Mapping[str, object], defaults: RowDefaults
) -> Draft | Refusal:
    """Take a line that is a CloudEvent already; fill in the source if it has none."""
    source = event.get("source", defaults.source)
    if source is None:
        return Refusal(RefusalCode.BAD_SOURCE, "no source; give one by --as")
    complete = {**event, "source": source}
    canonical = json.dumps(complete, sort_keys=True, separators=(",", ":"))
    return Draft(complete, (canonical,))


def _draft(cells: Cells, defaults: RowDefaults) -> Draft:
    if defaults.source is None:
        raise _RefusedError(RefusalCode.BAD_SOURCE, "no source; give one by --as")
    for value in cells.values():
        if isinstance(value, BrokenCell):
            raise _RefusedError(RefusalCode.BAD_DATA, value.detail)
    type_ = _text(cells, Attribute.TYPE) or defaults.type
    indicator = _text(cells, Attribute.INDICATOR) or defaults.indicator
    if type_ is None and indicator is None:
        raise _RefusedError(
            RefusalCode.BAD_TYPE, "neither type nor indicator; give one by --indicator"
        )
    type_ = type_ or COUNTED
    time_text = _map_time(cells.get(Attribute.TIME), defaults)
    count = _whole(cells, Attribute.COUNT, RefusalCode.BAD_COUNT, defaults)
    amount = _whole(cells, Attribute.AMOUNT, RefusalCode.BAD_AMOUNT, defaults)
    data = {
        "indicator": indicator,
        "locality": _locality(cells),
        "day": _day(cells, defaults),
        "count": count,
        "amount": amount,
    }
    event: dict[str, object] = {
        "specversion": "1.0",
        "source": defaults.source,
        "type": type_,
        "time": time_text,
        "data": {name: value for name, value in data.items() if value is not None},
    }
    id_ = cells.get(Attribute.ID)
    if id_ is not None:
        # A number stands for its digits: CSV knows no other kind of number.
        event["id"] = str(id_) if type(id_) is int else id_
    content = (
        defaults.source,
        type_,
        _canonical_instant(time_text),
        indicator,
        data["locality"],
        data["day"],
        1 if count is None else count,
        amount or 0,
    )
    return Draft(event, content)


def _text(cells: Cells, name: Attribute) -> str | None:
    value = cells.get(name)
    if value is None or isinstance(value, str):
        return value
    code = {
        Attribute.LOCALITY: RefusalCode.BAD_LOCALITY,
        Attribute.TYPE: RefusalCode.BAD_TYPE,
        Attribute.DAY: RefusalCode.BAD_DAY,
    }.get(name, RefusalCode.BAD_DATA)
    raise _RefusedError(code, f"{name} {quote(value)} is not a text; put it in quotes")


def _locality(cells: Cells) -> str | None:
    """Read a code; 38 may be Thanh Hóa, or the ward 00038 without its zeros."""
    value = _text(cells, Attribute.LOCALITY)
    if isinstance(value, Digits) and len(value) < CODE_DIGITS:
        raise _RefusedError(
            RefusalCode.BAD_LOCALITY,
            f"locality {value} is a number, whose zeros in front would be lost: write "
            "it as text",
        )
    return None if value is None else str(value)


def _day(cells: Cells, defaults: RowDefaults) -> str | None:
    value = _text(cells, Attribute.DAY)
    if value is None or defaults.dates is None:
        return value
    turned = _TURNED_DATE.fullmatch(value)
    if turned is None or turned[4]:
        return value
    return _turn(turned, defaults.dates, RefusalCode.BAD_DAY)


def _whole(
    cells: Cells, name: Attribute, code: RefusalCode, defaults: RowDefaults
) -> int | None:
    """Read a whole number.

    Separators are refused, not guessed: "1.250" is 1250 to one program and 1.25 to
    another. Which it is can be said (`thousands`); then groups have three digits.
    """
    value = cells.get(name)
    if value is None or type(value) is int:
        return value
    if isinstance(value, str):
        between = defaults.thousands
        if between and re.fullmatch(_GROUPED % re.escape(between), value):
            value = value.replace(between, "")
        if _WHOLE.fullmatch(value):
            return int(value)
    raise _RefusedError(
        code,
        f"{name} {quote(value)} is not a whole number; write digits only, like 412750",
    )


def _map_time(value: object, defaults: RowDefaults) -> str:
    """Return RFC 3339 text.

    A bare date is noon in the time zone, and a date, a space and a time, as
    spreadsheets write them, are told there. All else is left to ingest.
    """
    if not isinstance(value, str):
        what = "no time" if value is None else f"time {quote(value)} is not a text"
        raise _RefusedError(RefusalCode.BAD_TIME, f"{what}; write 2026-11-03")
    if isinstance(value, Digits):
        raise _RefusedError(
            RefusalCode.BAD_TIME,
            f"time {value} is a number; format the column as a date",
        )
    turned = _TURNED_DATE.fullmatch(value)
    if turned is not None:
        if defaults.dates is None:
            raise _RefusedError(
                RefusalCode.BAD_TIME,
                f"time {quote(value)} can be read in two ways; say --dates dmy or mdy, "
                "or write 2026-11-03",
            )
        day = _turn(turned, defaults.dates, RefusalCode.BAD_TIME)
        clock = turned[4] or ""
        value = f"{day} {clock.zfill(len('hh:mm'))}" if clock else day
    if _DATE_ONLY.fullmatch(value):
        return _combine(value, None, defaults.timezone)
    local = _LOCAL_TIME.fullmatch(value)
    return _combine(local[1], local[2], defaults.timezone) if local else value


def _turn(turned: re.Match[str], order: DateOrder, code: RefusalCode) -> str:
    """Write a date with the year in front."""
    first, second, year = turned[1], turned[2], turned[3]
    if len(year) != len("2026"):
        raise _RefusedError(
            code, f"{quote(turned[0])} has no whole year; write 2026-11-03"
        )
    day, month = (first, second) if order is DateOrder.DMY else (second, first)
    return f"{year}-{month:0>2}-{day:0>2}"


def _combine(day: str, clock: str | None, timezone: ZoneInfo) -> str:
    try:
        at = _NOON if clock is None else time.fromisoformat(clock)
        return datetime.combine(date.fromisoformat(day), at, timezone).isoformat()
    except ValueError:
        raise _RefusedError(
            RefusalCode.BAD_TIME,
            f"time {quote(day if clock is None else f'{day} {clock}')} does not exist",
        ) from None


def _canonical_instant(text: str) -> str:
    """Write an instant in one way, so that equal ones make equal ids."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    if instant.tzinfo is None:
        return text
    try:
        return instant.astimezone(UTC).isoformat(timespec="microseconds")
    except OverflowError:
        return text
