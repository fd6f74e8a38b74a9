"""Models of how weekly progress comes, and what follows for a sum of future weeks.

A week's progress is a mean, plus what carries over from week to week, plus noise of
its own: `y = m + a + e`. The models differ in how far `a` carries (not at all, for
some weeks, for ever) and how much of it there is. Mean and size of the noise are
unknown in each: with the prior flat in the mean and in the logarithm of the size,
the sum of the next `h` weeks has a Student distribution with `n - 1` degrees of
freedom (generalised least squares and the best linear unbiased prediction: Goldberger,
JASA 57, 1962; as Bayesian prediction: Diggle & Ribeiro, Model-based Geostatistics,
2007, chapter 7).
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Carry:
    """What a week's progress shares with that of the weeks before.

    Attributes:
        persistence: Share of it that is left a week later; 1: it never fades.
        share: Its variance over that of the noise; where it never fades, the variance
            that it gains in a week.
        prior: How likely this is before anything was seen; those of all sum to 1.
    """

    persistence: float
    share: float
    prior: float


CARRIES: Final = (
    Carry(persistence=0.0, share=0.0, prior=0.78),
    Carry(persistence=0.5, share=10.0, prior=0.08),
    Carry(persistence=0.8, share=10.0, prior=0.08),
    Carry(persistence=1.0, share=0.1, prior=0.06),
)


@dataclass(frozen=True, slots=True)
class Design:
    """What a model and a number of weeks fix, whatever the data are.

    Attributes:
        inverse: Of the weeks' covariance in units of the noise, `n` by `n`.
        mean_weights: The estimate of the mean is their product with the weeks.
        carry_weights: The estimate of the last week's `a`, of the weeks less the mean.
        mean_variance: Of the estimate of the mean, in units of the noise.
        carry_slope: By how much the estimate of `a` falls as that of the mean rises.
        carry_variance: Of the last week's `a`, were the mean known.
        log_evidence: The part of the likelihood that no data enter.
    """

    inverse: Floats
    mean_weights: Floats
    carry_weights: Floats
    mean_variance: float
    carry_slope: float
    carry_variance: float
    log_evidence: float


@cache
def design(carry: Carry, weeks: int) -> Design:
    """Work out a model for a number of weeks.

    The cache is bounded by the models and by the longest history that is looked at.
    """
    place = np.arange(weeks, dtype=np.float64)
    if carry.persistence == 1.0:
        shared = carry.share * (1.0 + np.minimum.outer(place, place))
    else:
        apart = np.abs(np.subtract.outer(place, place))
        shared = carry.share * carry.persistence**apart
    covariance = np.eye(weeks) + shared
    factor = cho_factor(covariance, lower=True)
    inverse: Floats = cho_solve(factor, np.eye(weeks))
    ones = inverse.sum(axis=1)
    precision = float(ones.sum())
    to_carry: Floats = shared[-1] @ inverse
    log_determinant = 2.0 * float(np.log(np.diag(factor[0])).sum())
    return Design(
        inverse=inverse,
        mean_weights=ones / precision,
        carry_weights=to_carry,
        mean_variance=1.0 / precision,
        carry_slope=float(to_carry.sum()),
        carry_variance=float(shared[-1, -1] - to_carry @ shared[-1]),
        log_evidence=-0.5 * (log_determinant + float(np.log(precision))),
    )


@dataclass(frozen=True, slots=True)
class Fit:
    """One model's estimates for many series of equally many weeks.

    Attributes:
        carry: The model.
        design: Of the model.
        mean: Progress a week in the long run.
        carried: What the last week's progress has above it that carries over.
        noise: Estimated variance of the noise, above 0.
        freedom: Degrees of freedom of all that follows.
        log_evidence: Logarithm of the likelihood of the weeks, mean and noise
            integrated out, up to a constant that is the same for all models.
    """

    carry: Carry
    design: Design
    mean: Floats
    carried: Floats
    noise: Floats
    freedom: int
    log_evidence: Floats

    def standing(self, ahead: Floats, missing: Floats) -> Floats:
        """Return how sure it is that the next weeks bring what is missing.

        Args:
            ahead: Weeks ahead, above 0, also fractions; series by times.
            missing: Progress that is missing, one for each series.

        Returns:
            Quantiles of Student's distribution: of the expected surplus.
        """
        phi, fixed = self.carry.persistence, self.design
        carried = _carried(phi, ahead)
        expected = ahead * self.mean[:, None] + carried * self.carried[:, None]
        variance = (
            (ahead - carried * fixed.carry_slope) ** 2 * fixed.mean_variance
            + carried**2 * fixed.carry_variance
            + _new_carries(phi, ahead) * _weekly_news(self.carry)
            + ahead
        )
        spread = np.sqrt(variance * self.noise[:, None])
        surplus: Floats = (expected - missing[:, None]) / spread
        return surplus

    def of(self, rows: NDArray[np.int64]) -> "Fit":
        """Return the same for some of the series."""
        return replace(
            self,
            mean=self.mean[rows],
            carried=self.carried[rows],
            noise=self.noise[rows],
            log_evidence=self.log_evidence[rows],
        )


def fit(carry: Carry, weeks: Floats, noise_min: Floats) -> Fit:
    """Estimate one model for many series.

    Args:
        carry: The model.
        weeks: Progress of each week, oldest first: series by weeks, at least 2.
        noise_min: The noise has at least this variance, above 0, by series.
    """
    length = weeks.shape[1]
    fixed = design(carry, length)
    mean: Floats = weeks @ fixed.mean_weights
    rest = weeks - mean[:, None]
    squares = np.einsum("ij,ij->i", rest @ fixed.inverse, rest)
    freedom = length - 1
    noise = np.maximum(squares / freedom, noise_min)
    return Fit(
        carry=carry,
        design=fixed,
        mean=mean,
        carried=rest @ fixed.carry_weights,
        noise=noise,
        freedom=freedom,
        log_evidence=fixed.log_evidence - 0.5 * freedom * np.log(noise),
    )


def _carried(phi: float, ahead: Floats) -> Floats:
    """Sum what is left of 1 carried over, from the next week on."""
    if phi == 1.0:
        return ahead
    total: Floats = phi * (1.0 - phi**ahead) / (1.0 - phi)
    return total


def _new_carries(phi: float, ahead: Floats) -> Floats:
    """Sum the squares of what each coming week's news adds up to by the end."""
    if phi == 0.0:
        return np.zeros_like(ahead)
    if phi == 1.0:
        return ahead * (ahead + 1.0) * (2.0 * ahead + 1.0) / 6.0
    once = phi * (1.0 - phi**ahead) / (1.0 - phi)
    twice = phi**2 * (1.0 - phi ** (2.0 * ahead)) / (1.0 - phi**2)
    total: Floats = (ahead - 2.0 * once + twice) / (1.0 - phi) ** 2
    return total


def _weekly_news(carry: Carry) -> float:
    if carry.persistence == 1.0:
        return carry.share
    return carry.share * (1.0 - carry.persistence**2)
