"""How exact numbers are written: as decimals where they end, else as fractions."""

from datetime import date, datetime
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

DECIMALS_MAX: Final = 6
_HUNDRED: Final = 100
_FULL_BP: Final = 10_000


def number(value: Fraction | int) -> str:
    """Write a number exactly: `1,674,310`, `433.25`, or `2/7 (about 0.2857)`."""
    value = Fraction(value)
    scaled = value * 10**DECIMALS_MAX
    if scaled.denominator == 1:
        return _decimal(value, DECIMALS_MAX)
    fraction = f"{value.numerator:,}/{value.denominator:,}"
    return f"{fraction} (about {_decimal(_nearest(value), DECIMALS_MAX)})"


def operand(value: Fraction | int) -> str:
    """Write a number inside a calculation; in brackets where its sign would mislead."""
    value = Fraction(value)
    if (value * 10**DECIMALS_MAX).denominator == 1:
        return f"({number(value)})" if value < 0 else number(value)
    return f"({value.numerator:,}/{value.denominator:,})"


def limit(basis: int) -> str:
    """Write basis points as the ratio that a target names: `0.9`."""
    return _decimal(Fraction(basis, _FULL_BP), DECIMALS_MAX)


def percent(basis: int) -> str:
    """Write basis points as a percentage: `80 %`."""
    return f"{_decimal(Fraction(basis, _HUNDRED), DECIMALS_MAX)} %"


def days(count: int) -> str:
    """Write a number of days."""
    return f"{count:,} day" if count == 1 else f"{count:,} days"


def moment(instant: datetime | None, timezone: str) -> str:
    """Write an instant as local time to the second; a dash for none."""
    if instant is None:
        return "-"
    return instant.astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S")


def far_day(day: date | None) -> str:
    """Write a day of a forecast; none lies beyond its horizon."""
    return "beyond ten years" if day is None else day.isoformat()


def _nearest(value: Fraction) -> Fraction:
    """Round to four decimals, or to four digits of what is smaller."""
    places = 4
    while 0 < abs(value) * 10**places < _HUNDRED and places < DECIMALS_MAX:
        places += 1
    return Fraction(round(value * 10**places), 10**places)


def _decimal(value: Fraction, places: int) -> str:
    scaled = value * 10**places
    sign, size = ("-" if scaled < 0 else ""), abs(int(scaled))
    ones, rest = divmod(size, 10**places)
    decimals = f".{rest:0{places}d}".rstrip("0") if rest else ""
    return f"{sign}{ones:,}{decimals}"
