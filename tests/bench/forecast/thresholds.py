"""How soon a chance of missing warns, against how often it warns in vain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.alerting.core.forecast import (
    HISTORY_DAYS_MAX,
    Course,
    Forecast,
    forecast_all,
)
from tests.bench.forecast.truths import HISTORY_DAYS, RUN_DAYS, Sample

Floats = NDArray[np.float64]

STEP_DAYS: Final = 3
"""The study looks every third day; the service every day."""
SLOWED_FROM: Final = (60, 200)
"""Days of the run between which courses that slow down begin to."""
SLOWED_TO: Final = (0.2, 0.6)
RULES: Final = (
    (0.30, 0.20),
    (0.40, 0.30),
    (0.50, 0.40),
    (0.60, 0.50),
    (0.70, 0.60),
    (0.80, 0.70),
    (0.90, 0.80),
    (0.95, 0.85),
    (0.70, 0.40),
    (0.80, 0.40),
    (0.90, 0.40),
)
"""Chances of missing at which an alert begins, and below which it ends."""
IN_TIME_DAYS: Final = 56
"""Before the due day: what is told later can hardly be helped any more."""
GRACE_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Runs:
    """Targets over a whole run, and what was said of them.

    Attributes:
        days: Of the run at which forecasts were made.
        chances: Of missing, by target and day; NaN where nothing was forecast.
        lagging: Whether position and pace alone call the target lagging.
        is_missed: What became of each in truth.
        slowed_at: Day of the run on which it slowed down; NaN where it did not.
    """

    days: NDArray[np.int64]
    chances: Floats
    lagging: NDArray[np.bool_]
    is_missed: NDArray[np.bool_]
    slowed_at: Floats


@dataclass(frozen=True, slots=True)
class Operation:
    """One point of the curve.

    Attributes:
        rule: What raises the alert.
        false_alarms: Share of targets met in truth that were ever alerted.
        false_days: Share of their days under alert.
        warned: Share of missed targets alerted in time and still on the last day.
        lead_days: Median of days from the first alert to the due day, of missed ones.
        delay_days: Median of days from the slow-down to the next alert, of those
            that slowed, missed, and had none when they slowed.
        delay_days_p90: The same, ninth decile.
        episodes: Mean number of alerts about a target that had any.
    """

    rule: str
    false_alarms: float
    false_days: float
    warned: float
    lead_days: float
    delay_days: float
    delay_days_p90: float
    episodes: float


def slow_down(sample: Sample, rng: np.random.Generator) -> tuple[Sample, Floats]:
    """Let every other course slow down in its run; return since which day of it."""
    size = len(sample.effects)
    at = rng.integers(*SLOWED_FROM, size)
    share = rng.uniform(*SLOWED_TO, size)
    is_slowed = np.arange(size) % 2 == 0
    effects = sample.effects.copy()
    for row in np.flatnonzero(is_slowed):
        late = effects[row, HISTORY_DAYS + at[row] :]
        effects[row, HISTORY_DAYS + at[row] :] = rng.binomial(late, share[row])
    start = sample.levels[:, :1] - sample.effects[:, :1]
    slowed = Sample(
        sample.name,
        effects,
        start + effects.cumsum(axis=1),
        sample.ceilings,
        is_claimed=sample.is_claimed,
    )
    return slowed, np.where(is_slowed, at, np.nan)


def run_targets(sample: Sample, rng: np.random.Generator) -> Runs:
    """Give each course a target of a year, slow some down, and forecast all along.

    Goals are set so that without a slow-down a course comes to between 0.8 and 1.4 of
    the way by the due day.
    """
    size = len(sample.effects)
    start = sample.levels[:, HISTORY_DAYS - 1]
    way = sample.levels[:, HISTORY_DAYS + RUN_DAYS - 1] - start
    shares = np.exp(rng.uniform(np.log(0.8), np.log(1.4), size))
    goals = start + np.maximum((way / shares).astype(np.int64), 1)
    if sample.ceilings is not None:
        goals = np.minimum(goals, (0.95 * sample.ceilings).astype(np.int64))
    goals = np.maximum(goals, start + 1)
    slowed, slowed_at = slow_down(sample, rng)
    days = np.arange(GRACE_DAYS, RUN_DAYS, STEP_DAYS)
    chances = np.column_stack([_chances(slowed, goals, int(day)) for day in days])
    lagging = _lagging(slowed, start, goals)[:, days]
    final = slowed.levels[:, HISTORY_DAYS + RUN_DAYS - 1]
    return Runs(days, chances, lagging, final < goals, slowed_at)


def operate(runs: Runs, rule: tuple[float, float] | None) -> Operation:
    """Work out one point of the curve.

    Args:
        runs: The targets.
        rule: Chance of missing at which an alert begins, and that below which it ends;
            None: alert by position and pace alone.
    """
    if rule is None:
        name, raised = "position and pace", runs.lagging
    else:
        enter, leave = rule
        name = f"chance {enter:.2f}, until {leave:.2f}"
        raised = _with_hysteresis(runs.chances, enter, leave)
    met, missed = ~runs.is_missed, runs.is_missed
    ever: NDArray[np.bool_] = np.any(raised, axis=1)
    first = np.where(ever, runs.days[raised.argmax(axis=1)], RUN_DAYS)
    in_time = ever & (first <= RUN_DAYS - IN_TIME_DAYS) & raised[:, -1]
    delays = _delays(runs, raised)
    begun = raised & ~np.column_stack([np.zeros(len(raised), bool), raised[:, :-1]])
    return Operation(
        rule=name,
        false_alarms=float(ever[met].mean()),
        false_days=float(raised[met].mean()),
        warned=float(in_time[missed].mean()),
        lead_days=float(np.median(RUN_DAYS - first[missed])),
        delay_days=float(np.median(delays)),
        delay_days_p90=float(np.quantile(delays, 0.9)),
        episodes=float(begun[ever].sum(axis=1).mean()),
    )


def _chances(sample: Sample, goals: NDArray[np.int64], day: int) -> Floats:
    """Forecast all targets on the morning of one day of their run."""
    now = HISTORY_DAYS + day
    seen = slice(max(0, now - HISTORY_DAYS_MAX), now)
    courses = [
        Course(
            effects=tuple(sample.effects[row, seen].tolist()),
            level=int(sample.levels[row, now - 1]),
            goal=int(goals[row]),
            rises=True,
            ceiling=None if sample.ceilings is None else int(sample.ceilings[row]),
            days_left=RUN_DAYS - day,
        )
        for row in range(len(goals))
    ]
    return np.array(
        [
            answer.miss_bp / 10_000 if isinstance(answer, Forecast) else np.nan
            for answer in forecast_all(courses)
        ]
    )


def _lagging(
    sample: Sample, start: NDArray[np.int64], goals: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Judge by position below 0.90 (left at 0.95) and both paces below 1."""
    run = slice(HISTORY_DAYS, HISTORY_DAYS + RUN_DAYS)
    done = sample.levels[:, run.start - 1 : run.stop - 1] - start[:, None]
    way = (goals - start)[:, None]
    day = np.arange(RUN_DAYS)
    position: Floats = done / np.maximum(way * day / RUN_DAYS, 1e-9)
    required: Floats = (way - done) / (RUN_DAYS - day)
    slow = np.ones_like(position, dtype=np.bool_)
    total = np.column_stack([np.zeros(len(done)), done])
    for window in (7, 28):
        days = np.minimum(day, window)
        before = total[:, day + 1 - days]
        slow &= (done - before) < required * days
    lagging = np.zeros_like(slow)
    was = np.zeros(len(slow), dtype=np.bool_)
    for today in range(GRACE_DAYS, RUN_DAYS):
        limit = np.where(was, 0.95, 0.90)
        was = slow[:, today] & (position[:, today] < limit)
        lagging[:, today] = was
    return lagging


def _with_hysteresis(chances: Floats, enter: float, leave: float) -> NDArray[np.bool_]:
    raised = np.zeros(chances.shape, dtype=np.bool_)
    was = np.zeros(len(chances), dtype=np.bool_)
    for place in range(chances.shape[1]):
        chance = chances[:, place]
        # Without a forecast nothing is claimed, and no alert stays.
        was = chance >= np.where(was, leave, enter)
        raised[:, place] = was
    return raised


def _delays(runs: Runs, raised: NDArray[np.bool_]) -> Floats:
    """Days from the slow-down to the alert; to the due day where none came."""
    delays = []
    for row in np.flatnonzero(runs.is_missed & ~np.isnan(runs.slowed_at)):
        since = runs.days >= runs.slowed_at[row]
        if raised[row][~since][-1]:
            continue
        after = runs.days[since & raised[row]]
        end = after[0] if after.size else RUN_DAYS
        delays.append(end - runs.slowed_at[row])
    return np.array(delays) if delays else np.array([np.nan])


def together(runs: Sequence[Runs]) -> Runs:
    """Put runs of several kinds into one; all were looked at on the same days."""
    return Runs(
        days=runs[0].days,
        chances=np.concatenate([run.chances for run in runs]),
        lagging=np.concatenate([run.lagging for run in runs]),
        is_missed=np.concatenate([run.is_missed for run in runs]),
        slowed_at=np.concatenate([run.slowed_at for run in runs]),
    )
