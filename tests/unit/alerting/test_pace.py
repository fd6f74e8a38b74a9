"""Achieved and required rates."""

from fractions import Fraction

from services.alerting.core.pace import measure_pace, required_per_day, window_days
from tests.unit.alerting.cases import FALLING, RISING, on_day


def test_required_rate_is_what_is_missing_over_the_days_left() -> None:
    """Of the whole goal, not of the path due by now."""
    assert required_per_day(RISING, 1_500, on_day(50)) == 10


def test_required_rate_of_a_falling_target_is_positive_towards_its_goal() -> None:
    """Signed towards the goal."""
    assert required_per_day(FALLING, 1_500, on_day(50)) == 10


def test_nothing_is_required_once_the_goal_is_met() -> None:
    """Neither at it nor beyond it."""
    assert required_per_day(RISING, 2_000, on_day(50)) is None


def test_nothing_can_be_required_when_no_day_is_left() -> None:
    """On the due day and after it."""
    assert required_per_day(RISING, 1_500, on_day(100)) is None
    assert required_per_day(RISING, 1_500, on_day(101)) is None


def test_pace_is_achieved_over_required() -> None:
    """7 a day where 10 a day are required."""
    pace = measure_pace(RISING, 1_500, 49, 7, on_day(50))
    assert pace.ratio == Fraction(7, 10)
    assert not pace.is_enough


def test_pace_of_one_is_enough() -> None:
    """The limit belongs to the good side."""
    assert measure_pace(RISING, 1_500, 70, 7, on_day(50)).is_enough


def test_falling_target_that_falls_has_a_positive_pace() -> None:
    """70 fewer in 7 days."""
    assert measure_pace(FALLING, 1_500, -70, 7, on_day(50)).ratio == 1


def test_movement_away_from_the_goal_is_a_negative_pace() -> None:
    """More deactivated than activated."""
    assert measure_pace(RISING, 1_500, -70, 7, on_day(50)).ratio == -1


def test_early_on_the_window_is_the_days_that_exist() -> None:
    """28 days are not there after 10; today is not complete."""
    assert window_days(RISING, 28, on_day(10)) == 10
    assert window_days(RISING, 7, on_day(10)) == 7
    assert window_days(RISING, 7, on_day(0)) == 0
    assert measure_pace(RISING, 1_100, 100, 28, on_day(10)).achieved_per_day == 10


def test_without_a_complete_day_no_pace_is_claimed() -> None:
    """On the start day nothing is called too slow."""
    pace = measure_pace(RISING, 1_000, 0, 7, on_day(0))
    assert pace.ratio is None
    assert pace.is_enough


def test_on_the_due_day_no_pace_suffices_any_more() -> None:
    """No day is left to make up in."""
    assert not measure_pace(RISING, 1_999, 700, 7, on_day(100)).is_enough


def test_pace_of_a_met_goal_is_enough() -> None:
    """Whatever came lately."""
    pace = measure_pace(RISING, 2_000, 0, 7, on_day(50))
    assert pace.ratio is None
    assert pace.is_enough
