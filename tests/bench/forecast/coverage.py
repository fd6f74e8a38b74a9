"""How often the nominal 80 % interval holds the day on which the goal was reached."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.alerting.core.forecast import Course, Forecast, forecast_all
from tests.bench.forecast.truths import FUTURE_DAYS, HISTORY_DAYS, Sample

WEEKS_SEEN: Final = (10, 13, 26)
AHEAD_DAYS: Final = (28, 400)
"""How far ahead goals lie on the true course, spread evenly on a logarithmic scale."""
CEILING_SHARE_MAX: Final = 0.95
"""Of a ceiling: goals beyond that lie where the curve hardly moves any more."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What became of the forecasts of one sample.

    Attributes:
        name: Of the sample.
        weeks: That the forecast saw.
        is_claimed: Whether the method claims to apply.
        count: Courses forecast.
        held: Share of them whose day lay within P10 and P90, both included.
        early: Share that came before P10.
        late: Share that came after P90.
        open: Share whose P90 is not within the horizon.
        width: Median length of the interval over the true time, where it has an end.
        brier: Mean squared error of the chance of missing: less is better.
        seconds: Time that one forecast took.
    """

    name: str
    weeks: int
    is_claimed: bool
    count: int
    held: float
    early: float
    late: float
    open: float
    width: float
    brier: float
    seconds: float


def measure_coverage(sample: Sample, weeks: int, seed: int) -> Coverage:
    """Forecast every course of a sample once, from a history of so many weeks."""
    courses, days, dues = _questions(sample, weeks, seed)
    began = time.perf_counter()
    answers = forecast_all(courses)
    seconds = (time.perf_counter() - began) / len(courses)
    found = [
        (answer, day, due)
        for answer, day, due in zip(answers, days, dues, strict=True)
        if isinstance(answer, Forecast)
    ]
    early = [one.p10_days is None or day < one.p10_days for one, day, _ in found]
    late = [one.p90_days is not None and day > one.p90_days for one, day, _ in found]
    misses = [(one.miss_bp / 10_000 - (day > due)) ** 2 for one, day, due in found]
    widths = [
        (one.p90_days - one.p10_days) / day
        for one, day, _ in found
        if one.p10_days is not None and one.p90_days is not None
    ]
    return Coverage(
        name=sample.name,
        weeks=weeks,
        is_claimed=sample.is_claimed,
        count=len(found),
        held=1.0 - float(np.mean(early) + np.mean(late)),
        early=float(np.mean(early)),
        late=float(np.mean(late)),
        open=float(np.mean([one.p90_days is None for one, _, _ in found])),
        width=float(np.median(widths)) if widths else float("nan"),
        brier=float(np.mean(misses)),
        seconds=seconds,
    )


def _questions(
    sample: Sample, weeks: int, seed: int
) -> tuple[Sequence[Course], Sequence[int], Sequence[int]]:
    """Set a goal that each course reaches, and a due day about then."""
    rng = np.random.default_rng(seed)
    size = len(sample.effects)
    near, far = AHEAD_DAYS
    ahead = np.exp(rng.uniform(np.log(near), np.log(far), size)).astype(int)
    due_after = (ahead * rng.uniform(0.7, 1.4, size)).astype(int)
    courses, days, dues = [], [], []
    for row in range(size):
        level = int(sample.levels[row, HISTORY_DAYS - 1])
        goal = int(sample.levels[row, HISTORY_DAYS - 1 + ahead[row]])
        ceiling = None if sample.ceilings is None else int(sample.ceilings[row])
        if ceiling is not None:
            goal = min(goal, int(CEILING_SHARE_MAX * ceiling))
        if goal <= level:
            continue
        future = sample.levels[row, HISTORY_DAYS:]
        reached = int(np.searchsorted(future, goal)) + 1
        assert reached <= FUTURE_DAYS, "the goal lies on the course"
        first = HISTORY_DAYS - 7 * weeks
        effects = sample.effects[row, first:HISTORY_DAYS].tolist()
        due = int(due_after[row])
        course = Course(
            effects=tuple(effects),
            level=level,
            goal=goal,
            rises=True,
            ceiling=ceiling,
            days_left=due,
        )
        courses.append(course)
        days.append(reached)
        dues.append(due)
    return courses, days, dues
