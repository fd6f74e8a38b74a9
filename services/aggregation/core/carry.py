"""Which days' levels are carried forward, pure (ADR 0012).

A level of any day is the one carried forward last before it and the effects of the few
days after, so these rules say how many days a read adds up, and how many of an event's
days are old enough to change what was carried.
"""

from datetime import date, timedelta
from typing import Final

SETTLING_DAYS: Final = 3
"""How long events of a day come in numbers; it is carried forward after that."""
EVERY_DAYS: Final = 8
"""Of the days carried forward one in so many stays for ever, for reads of the past."""
_ORIGIN: Final = date(2000, 1, 1)


def is_kept(day: date) -> bool:
    """Tell whether levels at the end of a day stay once a later day is carried."""
    return (day - _ORIGIN).days % EVERY_DAYS == 0


def next_carry(
    first: date | None, last: date | None, carried: date | None
) -> date | None:
    """Return the day to carry forward next; None while there is none.

    Args:
        first: First day that anything is counted or stated on; None without any.
        last: The last such day.
        carried: The last day carried forward; None before the first.
    """
    if first is None or last is None:
        return None
    settled = last - timedelta(days=SETTLING_DAYS)
    day = first if carried is None else carried + timedelta(days=1)
    if day > settled:
        return None
    to_kept = -(day - _ORIGIN).days % EVERY_DAYS
    return min(day + timedelta(days=to_kept), settled)
