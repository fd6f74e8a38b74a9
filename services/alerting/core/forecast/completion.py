"""When a target will be reached, and how likely it is to be missed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

import numpy as np
from scipy.special import stdtr

from services.alerting.core.forecast.progress import CARRIES, Fit, Floats, fit
from services.alerting.core.forecast.scales import (
    CEILINGS,
    COUNTED_PRIOR,
    IMITATIONS,
    counted,
    saturating,
)

WEEK: Final = 7
WEEKS_MIN: Final = 10
WEEKS_MAX: Final = 26
HISTORY_DAYS_MAX: Final = WEEK * WEEKS_MAX
HORIZON_DAYS: Final = 3_650
"""Nothing is said about what lies further ahead."""
REACHABLE_PERCENT: Final = 99
"""Of a ceiling: no curve that levels off reaches all of it."""
# Below this a model no longer shows in figures that are whole basis points.
WEIGHT_MIN: Final = 1e-4
QUANTILES: Final = (0.1, 0.5, 0.9)
FULL_BP: Final = 10_000

# Days at which the chance is worked out: each of the first weeks, then ever fewer.
_DAYS: Final = np.unique(
    np.concatenate([np.arange(1, 29), np.geomspace(28, HORIZON_DAYS, 48).round()])
).astype(np.float64)


class NoForecast(StrEnum):
    """Why nothing is forecast; part of the public contract."""

    SHORT_HISTORY = "short_history"
    """Fewer than ten complete weeks."""
    NO_PROGRESS = "no_progress"
    """Nothing in all the weeks looked at brought the goal nearer."""
    SATURATED = "saturated"
    """Between 99 % of the ceiling and a goal beyond that; no curve tells."""
    REACHED = "reached"
    """The level is at the goal or beyond it."""
    OVER = "over"
    """No complete day is left."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a target has come along, as plain numbers.

    Attributes:
        effects: Event effects of complete days, the oldest first, without gaps; the
            last is the day before the first of `days_left`. Whole numbers.
        level: At the end of the last complete day.
        goal: Other than the level where it was not reached.
        rises: Whether more is better.
        ceiling: What the level can at most come to; None where nobody knows.
        days_left: To the end of the due day.
    """

    effects: Sequence[float]
    level: int
    goal: int
    rises: bool
    ceiling: int | None
    days_left: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the goal will be reached.

    Attributes:
        p10_days: Complete days until it is reached with a chance of 10 %; None: not
            within ten years.
        p50_days: The same, 50 %.
        p90_days: The same, 90 %.
        miss_bp: Chance of missing the due day, in basis points.
    """

    p10_days: int | None
    p50_days: int | None
    p90_days: int | None
    miss_bp: int


@dataclass(frozen=True, slots=True)
class _Group:
    """Courses with equally many weeks, as arrays with one row for each.

    Attributes:
        levels: At the ends of weeks, oldest first, rising towards the goal.
        aims: What is aimed at, on the same scale.
        ceilings: NaN where unknown.
        shares: Of a week's progress, by day of the week from today's on.
        days_left: To the end of the due day.
    """

    levels: Floats
    aims: Floats
    ceilings: Floats
    shares: Floats
    days_left: Floats


def forecast_all(courses: Sequence[Course]) -> list[Forecast | NoForecast]:
    """Forecast many targets; each as if it were alone.

    Args:
        courses: Any number. The time it takes grows with it: keep slices small.

    Returns:
        One answer for each, in their order.
    """
    answers: list[Forecast | NoForecast | None] = [_objection(one) for one in courses]
    by_weeks: dict[int, list[int]] = defaultdict(list)
    for place, course in enumerate(courses):
        if answers[place] is None:
            by_weeks[_weeks(course)].append(place)
    for weeks, places in by_weeks.items():
        group = _group([courses[place] for place in places], weeks)
        for place, answer in zip(places, _forecast_group(group), strict=True):
            answers[place] = answer
    return [answer for answer in answers if answer is not None]


def _weeks(course: Course) -> int:
    return min(len(course.effects) // WEEK, WEEKS_MAX)


def _objection(course: Course) -> NoForecast | None:
    sign = 1 if course.rises else -1
    if sign * (course.level - course.goal) >= 0:
        return NoForecast.REACHED
    if course.days_left <= 0:
        return NoForecast.OVER
    weeks = _weeks(course)
    if weeks < WEEKS_MIN:
        return NoForecast.SHORT_HISTORY
    if sign * sum(course.effects[-WEEK * weeks :]) <= 0:
        return NoForecast.NO_PROGRESS
    return NoForecast.SATURATED if _is_saturated(course) else None


def _is_saturated(course: Course) -> bool:
    return course.rises and _aim(course) <= course.level


def _aim(course: Course) -> int:
    """Return what is forecast: the goal, or nearly all of the ceiling before it."""
    if course.ceiling is None or not course.rises:
        return course.goal
    return min(course.goal, course.ceiling * REACHABLE_PERCENT // 100)


def _group(courses: Sequence[Course], weeks: int) -> _Group:
    signs = np.array([1.0 if one.rises else -1.0 for one in courses])
    effects = np.array(
        [one.effects[-WEEK * weeks :] for one in courses], dtype=np.float64
    )
    by_day = (effects * signs[:, None]).reshape(len(courses), weeks, WEEK)
    level = signs * [float(one.level) for one in courses]
    after = np.cumsum(by_day.sum(axis=2)[:, ::-1], axis=1)[:, ::-1]
    levels = np.column_stack([level[:, None] - after, level])
    ceilings = np.array(
        [
            np.nan if one.ceiling is None or not one.rises else float(one.ceiling)
            for one in courses
        ]
    )
    return _Group(
        levels=levels,
        aims=signs * [float(_aim(one)) for one in courses],
        ceilings=ceilings,
        shares=_day_shares(by_day),
        days_left=np.array([float(one.days_left) for one in courses]),
    )


def _day_shares(by_day: Floats) -> Floats:
    """Return which share of a week each of its days brings.

    A week of equal days is added to what was seen, so that none is empty.
    """
    seen = np.maximum(by_day.sum(axis=1), 0.0)
    even = np.maximum(seen.sum(axis=1), 1.0) / (WEEK * by_day.shape[1])
    shares = seen + even[:, None]
    total: Floats = shares / shares.sum(axis=1)[:, None]
    return total


def _weeks_ahead(shares: Floats, days: Floats) -> Floats:
    """Turn days ahead into weeks; the days of a started week count by their share."""
    done = np.concatenate([np.zeros((len(shares), 1)), shares.cumsum(axis=1)], axis=1)
    whole, rest = np.divmod(days, WEEK)
    ahead: Floats = whole + np.take_along_axis(done, rest.astype(np.int64), axis=1)
    return ahead


@dataclass(frozen=True, slots=True)
class _Model:
    """One way to see a group's progress, with how likely it is for each series."""

    fit: Fit
    missing: Floats
    log_weight: Floats


def _models(group: _Group) -> Iterable[_Model]:
    plain = counted(group.levels, group.aims)
    has_ceiling = ~np.isnan(group.ceilings)
    priors = [np.where(has_ceiling, COUNTED_PRIOR, 1.0)]
    scales = [plain]
    if has_ceiling.any():
        curve_prior = (1.0 - COUNTED_PRIOR) / len(IMITATIONS)
        for imitation, (part, prior) in product(IMITATIONS, CEILINGS):
            ceilings = part * group.ceilings
            scale = saturating(imitation, group.levels, group.aims, ceilings)
            scales.append(scale)
            priors.append(np.where(scale.applies, curve_prior * prior, 0.0))
    # Whoever counts one by one has at least the variance of chance.
    noise_min = np.maximum(plain.weeks.mean(axis=1), 1.0)
    for scale, likely in zip(scales, priors, strict=True):
        with np.errstate(divide="ignore"):
            log_prior = np.log(likely)
        for carry in CARRIES:
            fitted = fit(carry, scale.weeks, noise_min)
            log_weight = (
                log_prior
                + np.log(carry.prior)
                + fitted.log_evidence
                + scale.log_density
            )
            yield _Model(fitted, scale.missing, log_weight)


def _forecast_group(group: _Group) -> list[Forecast]:
    models = list(_models(group))
    log_weights = np.array([model.log_weight for model in models])
    weights = np.exp(log_weights - log_weights.max(axis=0))
    weights = np.where(weights < WEIGHT_MIN * weights.sum(axis=0), 0.0, weights)
    weights = weights / weights.sum(axis=0)
    count = len(group.aims)
    days = np.column_stack(
        [
            np.broadcast_to(_DAYS, (count, len(_DAYS))),
            np.minimum(group.days_left, HORIZON_DAYS),
        ]
    )
    ahead = _weeks_ahead(group.shares, days)
    chance = np.zeros_like(ahead)
    for model, weight in zip(models, weights, strict=True):
        rows = np.flatnonzero(weight)
        if rows.size:
            chance[rows] += weight[rows, None] * _reached(model, ahead, rows)
    by_day = np.maximum.accumulate(chance[:, :-1], axis=1)
    miss = np.rint((1.0 - chance[:, -1]) * FULL_BP).astype(int)
    found = [[_day(row, quantile) for quantile in QUANTILES] for row in by_day]
    return [
        Forecast(p10, p50, p90, int(bp))
        for (p10, p50, p90), bp in zip(found, miss, strict=True)
    ]


def _reached(model: _Model, ahead: Floats, rows: np.ndarray) -> Floats:
    """Return the chance that what is missing has come, after each time ahead."""
    part = model.fit.of(rows)
    surplus = part.standing(ahead[rows], model.missing[rows])
    chance: Floats = stdtr(part.freedom, surplus)
    return chance


def _day(chances: Floats, quantile: float) -> int | None:
    """Find the first day on which a chance is reached, between the days worked out."""
    place = int(np.searchsorted(chances, quantile))
    if place == len(chances):
        return None
    if place == 0:
        return int(_DAYS[0])
    part = (quantile - chances[place - 1]) / (chances[place] - chances[place - 1])
    day = _DAYS[place - 1] + part * (_DAYS[place] - _DAYS[place - 1])
    return int(np.ceil(day))
