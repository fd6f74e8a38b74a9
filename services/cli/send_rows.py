"""Makes events from rows: what each cell means, and what cannot be an event.

Only what could not be written down as an event is refused here; all else is
ingest's to judge, so that a file and a system get the same answers.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from services.cli.send_columns import Attribute
from services.cli.send_files import Refusal
from shared.errors import RefusalCode

COUNTED: Final = "uptake.indicator.counted"
# These concern no place, so a file of them needs no column for one.
PLACELESS_TYPES: Final = frozenset({"uptake.control.stated", "uptake.event.reversed"})
DIGITS_MAX: Final = 18
SHOWN_MAX: Final = 60

_WHOLE: Final = re.compile(rf"[+-]?[0-9]{{1,{DIGITS_MAX}}}")
_DATE_ONLY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LOCAL_DATE: Final = re.compile(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}( .*)?")
_NOON: Final = time(12)
_TEXTS: Final = (Attribute.LOCALITY, Attribute.INDICATOR, Attribute.DAY)

Cells = Mapping[Attribute, object]


@dataclass(frozen=True, slots=True)
class RowDefaults:
    """What holds for every row that does not say otherwise.

    Attributes:
        source: The sender's source; None when rows must bring their own.
        type: Event type for rows without one.
        indicator: Indicator for rows without one.
        timezone: Where a bare date is noon.
    """

    source: str | None
    type: str | None
    indicator: str | None
    timezone: ZoneInfo


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
    given = {
        attribute: value.strip() if isinstance(value, str) else value
        for attribute, value in cells.items()
    }
    given = {name: value for name, value in given.items() if value not in ("", None)}
    try:
        return _draft(given, defaults)
    except _RefusedError as error:
        return error.refusal


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
    texts = {name: _text(cells, name) for name in _TEXTS}
    type_ = _text(cells, Attribute.TYPE) or defaults.type
    indicator = texts[Attribute.INDICATOR] or defaults.indicator
    if type_ is None and indicator is None:
        raise _RefusedError(
            RefusalCode.BAD_TYPE, "neither type nor indicator; give one by --indicator"
        )
    type_ = type_ or COUNTED
    time_text = _map_time(cells.get(Attribute.TIME), defaults.timezone)
    count = _whole(cells, Attribute.COUNT, RefusalCode.BAD_COUNT)
    amount = _whole(cells, Attribute.AMOUNT, RefusalCode.BAD_AMOUNT)
    data = {
        "indicator": indicator,
        "locality": texts[Attribute.LOCALITY],
        "day": texts[Attribute.DAY],
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
        time_text,
        indicator,
        texts[Attribute.LOCALITY],
        texts[Attribute.DAY],
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


def _whole(cells: Cells, name: Attribute, code: RefusalCode) -> int | None:
    """Read a whole number.

    Separators are refused, not guessed: "1.250" is 1250 to one program and 1.25 to
    another.
    """
    value = cells.get(name)
    if value is None or type(value) is int:
        return value
    if not isinstance(value, str) or not _WHOLE.fullmatch(value):
        raise _RefusedError(
            code,
            f"{name} {quote(value)} is not a whole number; write digits only, "
            "like 412750",
        )
    return int(value)


def _map_time(value: object, timezone: ZoneInfo) -> str:
    """Return RFC 3339 text: a bare date is noon there; all else is left to ingest."""
    if not isinstance(value, str):
        what = "no time" if value is None else f"time {quote(value)} is not a text"
        raise _RefusedError(RefusalCode.BAD_TIME, f"{what}; write 2026-11-03")
    if _LOCAL_DATE.fullmatch(value):
        raise _RefusedError(
            RefusalCode.BAD_TIME,
            f"time {quote(value)} can be read in two ways; write 2026-11-03",
        )
    if not _DATE_ONLY.fullmatch(value):
        return value
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise _RefusedError(
            RefusalCode.BAD_TIME, f"time {quote(value)} is no day of the calendar"
        ) from None
    return datetime.combine(day, _NOON, timezone).isoformat()
