"""How figures are written in English and in Vietnamese.

Vietnamese writes thousands with dots, decimals with a comma and the percent sign
without a space. What lies months ahead is told by its month: a day would promise too
much.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

FULL_BP: Final = 10_000
NEAR: Final = timedelta(days=180)
# The ends of what is told of a chance: nothing that is forecast is certain.
LEAST_PERCENT: Final = 1
MOST_PERCENT: Final = 99
# A rate below this has decimals: of a small place, two a day and three are not alike.
SMALL_RATE: Final = 10
_CENTS: Final = 100

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class Language(StrEnum):
    """A language that alerts speak."""

    ENGLISH = "en"
    VIETNAMESE = "vi"


def whole(value: Fraction) -> int:
    """Round to the nearest whole number, halves up, for people."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def inside(name: str) -> str:
    """Make a name fit inside a sentence, unless it begins with an abbreviation."""
    second = name[1:2]
    return name if second.isupper() or second == "-" else name[:1].lower() + name[1:]


@dataclass(frozen=True, slots=True)
class Speech:
    """One language's way with figures.

    Attributes:
        language: Which one.
        thousands: What stands between groups of three digits.
        decimal: What stands before decimals.
        unknown: What stands for a figure that there is none of.
        percent: What stands behind a percentage.
        below: Before a percentage that is shown as the least there is.
        above: Before the greatest there is.
        horizon: How far a forecast looks.
    """

    language: Language
    thousands: str
    decimal: str
    unknown: str
    percent: str
    below: str
    above: str
    horizon: str

    def count(self, value: int) -> str:
        """Write a whole number: `1,674,310` or `1.674.310`."""
        return f"{value:,}".replace(",", self.thousands)

    def rate(self, value: Fraction) -> str:
        """Write a rate: whole, but a small one with up to two decimals."""
        hundredths = whole(value * _CENTS)
        if abs(hundredths) >= SMALL_RATE * _CENTS:
            return self.count(whole(value))
        sign, size = ("-" if hundredths < 0 else ""), abs(hundredths)
        ones, rest = divmod(size, _CENTS)
        decimals = f"{self.decimal}{rest:02d}".rstrip("0") if rest else ""
        return f"{sign}{ones}{decimals}"

    def ratio(self, basis: int | None) -> str:
        """Write basis points as a ratio of two decimals, rounded towards nought."""
        if basis is None:
            return self.unknown
        sign, size = ("-" if basis < 0 else ""), abs(basis)
        parts = f"{size % FULL_BP // _CENTS:02d}"
        return f"{sign}{self.count(size // FULL_BP)}{self.decimal}{parts}"

    def chance(self, basis: int) -> str:
        """Write a chance in whole percent, never as impossible or certain."""
        percent, word = whole(Fraction(_CENTS * basis, FULL_BP)), ""
        if percent < LEAST_PERCENT:
            percent, word = LEAST_PERCENT, self.below
        elif percent > MOST_PERCENT:
            percent, word = MOST_PERCENT, self.above
        return f"{word}{percent}{self.percent}"

    def day(self, day: date) -> str:
        """Write a day: `21 November 2026` or `21/11/2026`."""
        if self.language is Language.VIETNAMESE:
            return f"{day.day}/{day.month}/{day.year}"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def moment(self, at: datetime) -> str:
        """Write a minute: `21 November 2026, 14:05` or `14:05 ngày 21/11/2026`."""
        day, minute = self.day(at.date()), f"{at:%H:%M}"
        if self.language is Language.VIETNAMESE:
            return f"{minute} ngày {day}"
        return f"{day}, {minute}"

    def when(self, day: date, seen_from: date) -> str:
        """Write a day to come, or its month where that is far ahead."""
        is_near = day - seen_from <= NEAR
        if self.language is Language.VIETNAMESE:
            return (
                f"ngày {self.day(day)}" if is_near else f"tháng {day.month}/{day.year}"
            )
        return self.day(day) if is_near else f"{_MONTHS[day.month - 1]} {day.year}"


ENGLISH: Final = Speech(
    language=Language.ENGLISH,
    thousands=",",
    decimal=".",
    unknown="unknown",
    percent=" %",
    below="less than ",
    above="more than ",
    horizon="ten years",
)
VIETNAMESE: Final = Speech(
    language=Language.VIETNAMESE,
    thousands=".",
    decimal=",",
    unknown="không rõ",
    percent="%",
    below="dưới ",
    above="trên ",
    horizon="mười năm",
)
SPEECHES: Final = (ENGLISH, VIETNAMESE)
