"""Courses whose future is known, drawn at random: what a forecast is held against."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

HISTORY_DAYS: Final = 200
"""Days before a target starts that have been reported; a forecast may see them."""
RUN_DAYS: Final = 364
FUTURE_DAYS: Final = 2_200
WRONG_PERCENT_CLAIMED: Final = range(100, 111)
"""How wrong a ceiling may be in per cent of the true one: a tenth may never come."""
TOTAL_DAYS: Final = HISTORY_DAYS + RUN_DAYS + FUTURE_DAYS


@dataclass(frozen=True, slots=True)
class Sample:
    """Many courses of one kind.

    Attributes:
        name: Of the kind.
        effects: Counts of each day, by course; day 0 is the first of the history.
        levels: At the end of each day.
        ceilings: What the forecast is told; None: nothing.
        is_claimed: Whether the method claims to apply.
    """

    name: str
    effects: Counts
    levels: Counts
    ceilings: Counts | None
    is_claimed: bool


def linear(rng: np.random.Generator, size: int) -> Sample:
    """Draw courses that go on at one rate, no ceiling known."""
    rates = np.exp(rng.uniform(np.log(3), np.log(3_000), size))
    effects = _noisy(rng, np.repeat(rates[:, None], TOTAL_DAYS, axis=1))
    return Sample("linear", effects, effects.cumsum(axis=1), None, is_claimed=True)


def linear_under_ceiling(rng: np.random.Generator, size: int) -> Sample:
    """Draw courses that go on at one rate although a ceiling is known.

    The forecast cannot know early on that they will not slow down, and says so by
    intervals that may be wider than they would have to be: nothing is claimed.
    """
    sample = linear(rng, size)
    reach = sample.levels[:, HISTORY_DAYS + RUN_DAYS * 2]
    ceilings = (reach * rng.uniform(1.0, 1.5, size)).astype(np.int64)
    return Sample(
        "linear, ceiling known",
        sample.effects,
        sample.levels,
        ceilings,
        is_claimed=False,
    )


def stop_and_go(rng: np.random.Generator, size: int) -> Sample:
    """Draw courses that come in campaigns: spells of work and of nothing."""
    busy = rng.uniform(7, 28, size)
    idle = rng.uniform(7, 28, size)
    is_busy = rng.random(size) < busy / (busy + idle)
    rates = np.exp(rng.uniform(np.log(10), np.log(5_000), size))
    means = np.empty((size, TOTAL_DAYS))
    for day in range(TOTAL_DAYS):
        means[:, day] = np.where(is_busy, rates, 0.01 * rates)
        turns = rng.random(size) < 1.0 / np.where(is_busy, busy, idle)
        is_busy = is_busy ^ turns
    effects = _noisy(rng, means)
    return Sample("stop-and-go", effects, effects.cumsum(axis=1), None, is_claimed=True)


def logistic(rng: np.random.Generator, size: int) -> Sample:
    """Draw logistic courses; the ceiling is known."""
    return _curve(rng, size, "logistic", lambda share, speed: speed * share, 0.02)


def bass(rng: np.random.Generator, size: int) -> Sample:
    """Draw courses of Bass's model; the ceiling is known."""
    imitation = np.exp(rng.uniform(np.log(3), np.log(60), size))
    return _curve(
        rng,
        size,
        "Bass",
        lambda share, speed: speed * (1 + imitation * share) / (1 + imitation),
        0.0,
    )


def without_ceiling(sample: Sample) -> Sample:
    """Keep from the forecast what the ceiling is: not what it claims to master."""
    return Sample(
        f"{sample.name}, ceiling unknown",
        sample.effects,
        sample.levels,
        None,
        is_claimed=False,
    )


def with_wrong_ceiling(sample: Sample, percent: int) -> Sample:
    """Tell the forecast another ceiling than the true one."""
    assert sample.ceilings is not None, "a curve has a ceiling"
    return Sample(
        f"{sample.name}, ceiling told {percent} % of the true one",
        sample.effects,
        sample.levels,
        sample.ceilings * percent // 100,
        is_claimed=percent in WRONG_PERCENT_CLAIMED,
    )


def _curve(
    rng: np.random.Generator,
    size: int,
    name: str,
    hazard: Callable[[Floats, Floats], Floats],
    least: float,
) -> Sample:
    """Draw courses whose speed is a hazard times what is left of the ceiling."""
    ceilings = np.exp(rng.uniform(np.log(20_000), np.log(5_000_000), size))
    ceilings = ceilings.astype(np.int64)
    shares = rng.uniform(least, 0.25 + least, size)
    speeds = np.exp(rng.uniform(np.log(0.005), np.log(0.02), size))
    noise = _Noise(rng, size)
    level = (shares * ceilings).astype(np.int64)
    effects = np.empty((size, TOTAL_DAYS), dtype=np.int64)
    for day in range(TOTAL_DAYS):
        share = level / ceilings
        mean = hazard(share, speeds) * (1.0 - share) * ceilings
        effects[:, day] = np.minimum(noise.draw(mean, day), ceilings - level)
        level = level + effects[:, day]
    start = (shares * ceilings).astype(np.int64)
    levels = start[:, None] + effects.cumsum(axis=1)
    return Sample(name, effects, levels, ceilings, is_claimed=True)


class _Noise:
    """Counts with more spread than chance alone gives, and quiet weekends."""

    def __init__(self, rng: np.random.Generator, size: int) -> None:
        self._rng = rng
        self._sizes = np.exp(rng.uniform(np.log(0.5), np.log(10), size))
        weekend = rng.uniform(0.1, 1.0, size)
        days = np.ones((size, 7))
        days[:, 5:] = weekend[:, None]
        self._days = days * (7.0 / days.sum(axis=1))[:, None]

    def draw(self, means: Floats, day: int) -> Counts:
        """Draw one day of all courses: negative binomial about the mean."""
        expected = np.maximum(means * self._days[:, day % 7], 0.0)
        uneven = expected * self._rng.gamma(self._sizes) / self._sizes
        drawn: Counts = self._rng.poisson(uneven).astype(np.int64)
        return drawn


def _noisy(rng: np.random.Generator, means: Floats) -> Counts:
    noise = _Noise(rng, len(means))
    days = [noise.draw(means[:, day], day) for day in range(means.shape[1])]
    return np.column_stack(days)
