"""Where a target's path is on a day, and how far along a level is."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from services.alerting.core.path import expected, is_met, level_of, position
from shared.catalogue.model import (
    Measure,
    Milestone,
    Population,
    Target,
    Trajectory,
)
from tests.unit.alerting.cases import FALLING, RISING, START, on_day

STEPS = replace(
    RISING,
    trajectory=Trajectory.MILESTONES,
    milestones=(
        Milestone(on_day(20), 1_000),
        Milestone(on_day(50), 1_100),
        Milestone(on_day(53), 1_200),
    ),
)
CURVE = replace(
    RISING,
    start_value=100,
    goal_value=900,
    trajectory=Trajectory.LOGISTIC,
    population=Population("people", RISING.locality, START, 1_000, "made up"),
)


def test_path_begins_at_the_start_value_and_ends_at_the_goal() -> None:
    """On the two days themselves and outside of them."""
    assert expected(RISING, on_day(0)) == 1_000
    assert expected(RISING, on_day(100)) == 2_000
    assert expected(RISING, on_day(-5)) == 1_000
    assert expected(RISING, on_day(105)) == 2_000


def test_path_is_exact_between_whole_numbers() -> None:
    """A third is a third, not a float."""
    target = replace(RISING, start_value=0, goal_value=1, due=on_day(3))
    assert expected(target, on_day(1)) == Fraction(1, 3)


def test_published_example_gives_the_published_figures() -> None:
    """The example of EXPERIENCE.md, to the unit."""
    target: Target = replace(
        RISING,
        start_value=854_000,
        goal_value=2_152_000,
        due=date(2026, 12, 31),
    )
    today = date(2026, 11, 21)
    assert round(expected(target, today)) == 2_009_363
    assert round(position(target, 1_674_310, today), 3) == Fraction(710, 1000)


def test_position_is_one_on_the_path_and_zero_at_the_start() -> None:
    """Half-way in time, half-way in value."""
    assert position(RISING, 1_500, on_day(50)) == 1
    assert position(RISING, 1_000, on_day(50)) == 0


def test_position_below_the_start_is_negative() -> None:
    """Worse than at the start is said, not hidden."""
    assert position(RISING, 900, on_day(50)) == Fraction(-1, 5)


def test_position_of_a_falling_target_counts_towards_its_goal() -> None:
    """Less is better: at 1,500 of 2,000 to 1,000 half the way is done."""
    assert position(FALLING, 1_500, on_day(50)) == 1
    assert position(FALLING, 1_750, on_day(50)) == Fraction(1, 2)
    assert position(FALLING, 2_100, on_day(50)) == Fraction(-1, 5)


def test_position_is_one_while_nothing_is_due_and_nothing_is_lost() -> None:
    """On the start day expected equals the start value: no division by zero."""
    assert position(RISING, 1_000, on_day(0)) == 1
    assert position(RISING, 1_400, on_day(0)) == 1
    assert position(FALLING, 1_900, on_day(0)) == 1


def test_position_is_zero_while_nothing_is_due_but_the_level_is_worse() -> None:
    """Below the start of a rising target, above that of a falling one."""
    assert position(RISING, 999, on_day(0)) == 0
    assert position(FALLING, 2_001, on_day(0)) == 0


def test_goal_is_met_at_it_and_beyond_it() -> None:
    """In the direction of the target."""
    assert is_met(RISING, 2_000)
    assert is_met(RISING, 2_001)
    assert not is_met(RISING, 1_999)
    assert is_met(FALLING, 1_000)
    assert is_met(FALLING, 999)
    assert not is_met(FALLING, 1_001)


def test_path_goes_straight_from_milestone_to_milestone() -> None:
    """Level, slowly, fast, and from the last one to the goal."""
    steps = {10: 1_000, 20: 1_000, 35: 1_050, 50: 1_100, 53: 1_200, 100: 2_000}
    assert {day: expected(STEPS, on_day(day)) for day in steps} == steps
    assert expected(STEPS, on_day(51)) == 1_100 + Fraction(100, 3)
    assert expected(STEPS, on_day(54)) == 1_200 + Fraction(800, 47)


def test_path_through_falling_milestones_falls() -> None:
    """Less is better."""
    target = replace(
        FALLING,
        trajectory=Trajectory.MILESTONES,
        milestones=(Milestone(on_day(50), 1_900),),
    )
    assert expected(target, on_day(25)) == 1_950
    assert expected(target, on_day(75)) == 1_450


def test_s_curve_takes_the_values_that_its_odds_ask_for() -> None:
    """1 to 9, 1 to 3, evens, 3 to 1, 9 to 1: a third of the way each time."""
    steps = {0: 100, 25: 250, 50: 500, 75: 750, 100: 900}
    assert {day: expected(CURVE, on_day(day)) for day in steps} == steps


def test_falling_s_curve_takes_them_in_the_other_order() -> None:
    """Below the same ceiling."""
    falling = replace(CURVE, start_value=900, goal_value=100)
    steps = {0: 900, 25: 750, 50: 500, 75: 250, 100: 100}
    assert {day: expected(falling, on_day(day)) for day in steps} == steps


def test_s_curve_is_slow_first_where_little_of_the_population_is_reached() -> None:
    """Which is why a straight path calls it late when it is not."""
    slow = replace(CURVE, start_value=10, goal_value=500)
    assert expected(slow, on_day(50)) < 255
    # Odds of 1 to 99 become evens: half-way they are 1 to the root of 99.
    root = Decimal(1_000) / (1 + Decimal(99).sqrt())
    assert expected(slow, on_day(50)) == Fraction(round(root, 6))


def test_flow_counts_on_from_its_start_value() -> None:
    """Of a stock the level is the level."""
    flow = replace(RISING, measure=Measure.FLOW)
    assert level_of(flow, 500) == 1_500
    assert level_of(RISING, 500) == 500
