"""Calendar periods, in whole local days of the catalogue's time zone."""

import re
from datetime import date, timedelta
from typing import NamedTuple

_YEAR = re.compile(r"(?:19|20|21)[0-9]{2}")
_QUARTER = re.compile(rf"({_YEAR.pattern})-Q([1-4])")
_MONTH = re.compile(rf"({_YEAR.pattern})-(0[1-9]|1[0-2])")
_MONTHS_OF_QUARTER = 3
_MONTHS_OF_YEAR = 12


class Period(NamedTuple):
    """A calendar year, quarter or month."""

    name: str
    """As written: `2026`, `2026-Q4`, `2026-11`."""
    first_day: date
    last_day: date


def parse_period(text: str) -> Period | None:
    """Read a period; None if it is none."""
    if _YEAR.fullmatch(text):
        return _span(text, int(text), 1, _MONTHS_OF_YEAR)
    if (match := _QUARTER.fullmatch(text)) is not None:
        first_month = (int(match[2]) - 1) * _MONTHS_OF_QUARTER + 1
        return _span(text, int(match[1]), first_month, _MONTHS_OF_QUARTER)
    if (match := _MONTH.fullmatch(text)) is not None:
        return _span(text, int(match[1]), int(match[2]), 1)
    return None


def _span(name: str, year: int, first_month: int, months: int) -> Period:
    years, month = divmod(first_month - 1 + months, _MONTHS_OF_YEAR)
    after = date(year + years, month + 1, 1)
    return Period(name, date(year, first_month, 1), after - timedelta(days=1))
