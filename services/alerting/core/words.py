"""Days in English and in Vietnamese."""

from datetime import date
from typing import Final

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


def month_name(day: date) -> str:
    """Return the English name of a day's month."""
    return _MONTHS[day.month - 1]


def day_in_english(day: date) -> str:
    """Write a day as in `21 November 2026`."""
    return f"{day.day} {month_name(day)} {day.year}"


def day_in_vietnamese(day: date) -> str:
    """Write a day as in `21/11/2026`."""
    return f"{day.day}/{day.month}/{day.year}"
