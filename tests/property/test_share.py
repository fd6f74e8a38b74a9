"""The law of goals that are shares of a population."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from shared.catalogue.goals import share_of


@given(
    population=st.integers(min_value=1, max_value=10**10),
    share_bp=st.integers(min_value=0, max_value=100_000),
    start=st.integers(min_value=0, max_value=10**11),
)
def test_share_is_the_first_whole_number_that_reaches_it(
    population: int, share_bp: int, start: int
) -> None:
    """Coming from the start; less than one away there is nothing to go."""
    goal = share_of(population, share_bp, start)
    exact = Fraction(population * share_bp, 10_000)
    if goal == start:
        assert abs(exact - start) < 1
    elif goal > start:
        assert goal - 1 < exact <= goal
    else:
        assert goal <= exact < goal + 1
