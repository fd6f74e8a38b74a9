"""What agencies claim beside what was counted of theirs: shown and told, never applied.

Not yet fed: `uptake.totals` does not carry controls (issue 5, part 4).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.alerting.core.life_cycle import Condition, Policy
from services.alerting.core.path import local_day

PATIENCE: Final = Policy(wait=timedelta(hours=1), keep=timedelta(hours=1))
"""A figure is often stated before the last events of its day have been sent."""
NAMED_DAYS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Control:
    """An agency's own figure of one indicator and one local day.

    Attributes:
        day: The day that it speaks of.
        claimed: What the agency says came; None where all its controls are voided.
        counted: What was counted of its events of that day.
    """

    day: date
    claimed: int | None
    counted: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one agency's controls of one indicator come to.

    Attributes:
        condition: Whether an alert about them holds.
        days: The latest days that differ, descending, with claimed minus counted.
        differing: How many days differ, in all.
    """

    condition: Condition
    days: tuple[tuple[date, int], ...]
    differing: int


def judge_controls(
    controls: Iterable[Control],
    complete_until: datetime,
    timezone: str,
    *,
    open_days: int,
    behind: bool,
) -> Verdict:
    """Compare claims with counts, of days that are over and can still be mended.

    Args:
        controls: Of one agency and one indicator, a day at most once, in any order.
        complete_until: Up to when all that was logged is counted.
        timezone: The catalogue's.
        open_days: How many days back events are still taken.
        behind: Whether it is we who lack events.
    """
    today = local_day(complete_until, timezone)
    differing = sorted(
        (
            (control.day, control.claimed - control.counted)
            for control in controls
            if control.claimed is not None
            and control.claimed != control.counted
            # Today's events are still coming; of a closed day nothing can be mended.
            and 0 < (today - control.day).days <= open_days
        ),
        reverse=True,
    )
    condition = Condition.HOLDS if differing else Condition.CLEAR
    return Verdict(
        condition=Condition.UNKNOWN if behind else condition,
        days=tuple(differing[:NAMED_DAYS_MAX]),
        differing=len(differing),
    )
