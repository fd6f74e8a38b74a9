"""The S-curve below a fixed ceiling, through a start and a goal.

On it the logarithm of the odds, value / (ceiling - value), grows by the same amount
each day (ADR 0022). Two points settle it, so nothing is fitted. The curve is computed
in decimals and rounded once; `decimal` rounds alike everywhere, so replicas agree to
the last digit.
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

# 45 digits more than the greatest ceiling has, of which a dozen are lost on the way.
_PRECISE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
MILLIONTH: Final = Decimal("0.000001")
# A path is asked for again at each look of a day, and in the next ones for its ends.
_VALUES_KEPT: Final = 32_768
_ODDS_KEPT: Final = 65_536


@lru_cache(maxsize=_VALUES_KEPT)
def logistic_value(
    start: int, goal: int, ceiling: int, elapsed: int, days: int
) -> Fraction:
    """Return the curve's value so many days after its start, in whole millionths.

    Args:
        start: Strictly between 0 and the ceiling.
        goal: Strictly between 0 and the ceiling; below the start on a falling curve.
        ceiling: What the curve would never quite reach.
        elapsed: Strictly between 0 and `days`; at the ends the values are given.
        days: From start to goal.
    """
    first, last = log_odds(start, ceiling), log_odds(goal, ceiling)
    part = _PRECISE.divide(elapsed, days)
    here = _PRECISE.fma(_PRECISE.subtract(last, first), part, first)
    share = _PRECISE.divide(1, _PRECISE.add(1, _PRECISE.exp(-here)))
    value = _PRECISE.multiply(ceiling, share)
    return Fraction(value.quantize(MILLIONTH, context=_PRECISE))


@lru_cache(maxsize=_ODDS_KEPT)
def log_odds(value: int, ceiling: int) -> Decimal:
    """Return ln(value / (ceiling - value)), for a value strictly between 0 and it."""
    return _PRECISE.ln(_PRECISE.divide(value, ceiling - value))
