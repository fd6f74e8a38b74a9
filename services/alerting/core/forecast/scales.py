"""Scales on which progress may be steady.

With a known ceiling adoption seldom goes on at one rate: its speed depends on how
many have it already and on how many are left. In Bass's model (Management Science 15,
1969) the share `u` of the ceiling grows by `(p + q u)(1 - u)`; its solution is steady
on the scale `log((1 + b u) / (1 - u))` with `b = q / p`: `b = 0` is decay towards the
ceiling, infinite `b` the logistic curve. So one way to forecast steady progress serves
all of them; which scale it is, the weeks say.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

IMITATIONS: Final = (2.0, 20.0, np.inf)
"""Values of `b` that are tried; more of them forecast no better (ADR 0023)."""
CEILINGS: Final = ((1.0, 0.7), (0.9, 0.2), (0.8, 0.1))
"""Shares of the known ceiling at which a curve may level off, since some never come,
and how likely each is before anything was seen."""
COUNTED_PRIOR: Final = 0.5
"""How likely it is that counts themselves are the scale, before anything was seen."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """Many series on one scale, in counts at the speed of the present level.

    Attributes:
        weeks: Progress of each week, oldest first.
        missing: Progress that is missing to what is aimed at; may be infinite.
        log_density: Logarithm of how much the scale stretches counts, over all weeks:
            makes likelihoods on different scales comparable.
        applies: Whether the scale means anything for a series.
    """

    weeks: Floats
    missing: Floats
    log_density: Floats
    applies: NDArray[np.bool_]


def counted(levels: Floats, aims: Floats) -> Scaled:
    """Take counts as they are.

    Args:
        levels: At the ends of weeks, oldest first, one more than weeks; by series.
        aims: What is aimed at, by series.
    """
    count = levels.shape[0]
    return Scaled(
        weeks=np.diff(levels, axis=1),
        missing=aims - levels[:, -1],
        log_density=np.zeros(count),
        applies=np.ones(count, dtype=np.bool_),
    )


def saturating(
    imitation: float, levels: Floats, aims: Floats, ceilings: Floats
) -> Scaled:
    """Take counts on the scale of one curve towards a ceiling.

    Args:
        imitation: Bass's `q / p`.
        levels: As for `counted`.
        aims: As for `counted`; what is not below the ceiling is never reached.
        ceilings: By series; NaN where there is none.
    """
    shares = levels / ceilings[:, None]
    with np.errstate(invalid="ignore"):
        applies = np.all((shares < 1.0) & (shares >= 0.0), axis=1)
        if np.isinf(imitation):
            applies &= np.all(shares > 0.0, axis=1)
        is_reachable = aims < ceilings
    shares = np.where(applies[:, None], shares, 0.5)
    aimed = np.where(applies & is_reachable, aims / ceilings, 0.75)
    slopes = _slope(imitation, shares)
    now = slopes[:, -1]
    count_now = np.where(applies, ceilings, 1.0) / now
    places = _place(imitation, shares)
    missing = (_place(imitation, aimed) - places[:, -1]) * count_now
    return Scaled(
        weeks=np.diff(places, axis=1) * count_now[:, None],
        missing=np.where(is_reachable, missing, np.inf),
        log_density=np.log(slopes[:, 1:] / now[:, None]).sum(axis=1),
        applies=applies,
    )


def _place(imitation: float, shares: Floats) -> Floats:
    raised = shares if np.isinf(imitation) else 1.0 + imitation * shares
    place: Floats = np.log(raised) - np.log1p(-shares)
    return place


def _slope(imitation: float, shares: Floats) -> Floats:
    if np.isinf(imitation):
        return 1.0 / (shares * (1.0 - shares))
    slope: Floats = (1.0 + imitation) / ((1.0 + imitation * shares) * (1.0 - shares))
    return slope
