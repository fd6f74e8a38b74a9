"""Laws of paths, positions and statuses."""

import itertools
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from services.alerting.core.path import expected, is_met, position
from services.alerting.core.status import Status, basis_points
from shared.catalogue.model import Target
from tests.property.drawn_targets import (
    counts,
    days,
    exact_targets,
    logistic_targets,
    milestone_targets,
    targets,
)
from tests.unit.alerting.cases import START, judge


@given(targets)
def test_path_meets_start_and_goal_exactly(target: Target) -> None:
    """On their days and outside of them, whatever its shape."""
    for back in (0, 1, 400):
        assert expected(target, START - timedelta(days=back)) == target.start_value
        assert expected(target, target.due + timedelta(days=back)) == target.goal_value


@given(milestone_targets(), days)
def test_path_through_milestones_is_straight_between_them(
    target: Target, day: int
) -> None:
    """It meets each exactly, and keeps its pace from one to the next."""
    corners = [START, *(one.day for one in target.milestones), target.due]
    for one in target.milestones:
        assert expected(target, one.day) == one.value
    for first, last in itertools.pairwise(corners):
        today = START + timedelta(days=day)
        if first <= today <= last:
            whole = expected(target, last) - expected(target, first)
            part = expected(target, today) - expected(target, first)
            assert part * (last - first).days == whole * (today - first).days


@given(logistic_targets(), days)
def test_s_curve_lies_between_its_ends_and_below_its_ceiling(
    target: Target, day: int
) -> None:
    """In whole millionths, so that it was rounded once and is told alike."""
    assert target.population is not None
    value = expected(target, START + timedelta(days=day))
    low, high = sorted((target.start_value, target.goal_value))
    assert low <= value <= high
    assert 0 < value < target.population.count
    assert 1_000_000 % value.denominator == 0


@given(logistic_targets(), days)
def test_falling_s_curve_is_the_rising_one_of_those_who_left(
    target: Target, day: int
) -> None:
    """Who no longer uses a thing and who still does are the whole population."""
    assert target.population is not None
    ceiling = target.population.count
    mirrored = replace(
        target,
        start_value=ceiling - target.start_value,
        goal_value=ceiling - target.goal_value,
    )
    today = START + timedelta(days=day)
    assert expected(mirrored, today) == ceiling - expected(target, today)


@given(logistic_targets(), st.integers(min_value=0, max_value=700))
def test_s_curve_backwards_in_time_is_the_same_curve(target: Target, day: int) -> None:
    """From goal to start it takes the same values in the other order."""
    length = (target.due - START).days
    assume(day <= length)
    backwards = replace(
        target, start_value=target.goal_value, goal_value=target.start_value
    )
    assert expected(backwards, target.due - timedelta(days=day)) == expected(
        target, START + timedelta(days=day)
    )


@given(targets, days)
def test_path_moves_towards_the_goal_only(target: Target, day: int) -> None:
    """From any day to the next, and never beyond its two ends."""
    today = START + timedelta(days=day)
    step = expected(target, today + timedelta(days=1)) - expected(target, today)
    assert step == 0 or (step > 0) == (target.goal_value > target.start_value)
    low, high = sorted((target.start_value, target.goal_value))
    assert low <= expected(target, today) <= high


@given(targets, st.integers(min_value=1, max_value=800), counts, counts)
def test_a_better_level_never_has_a_lower_position(
    target: Target, day: int, one: int, other: int
) -> None:
    """In the direction of the target."""
    better, worse = max(one, other), min(one, other)
    if target.goal_value < target.start_value:
        better, worse = worse, better
    today = START + timedelta(days=day)
    assert position(target, better, today) >= position(target, worse, today)


@given(exact_targets, days, counts, st.integers(min_value=2, max_value=1_000))
def test_position_does_not_depend_on_the_unit_of_measure(
    target: Target, day: int, level: int, factor: int
) -> None:
    """Counted in thousands it is the same."""
    scaled = replace(
        target,
        start_value=target.start_value * factor,
        goal_value=target.goal_value * factor,
        milestones=tuple(
            replace(one, value=one.value * factor) for one in target.milestones
        ),
    )
    today = START + timedelta(days=day)
    assert position(scaled, level * factor, today) == position(target, level, today)


@given(exact_targets, days, counts)
def test_mirrored_target_stands_where_the_target_stands(
    target: Target, day: int, level: int
) -> None:
    """Less is better is more is better, seen from the other side."""
    mirrored = replace(
        target,
        start_value=-target.start_value,
        goal_value=-target.goal_value,
        milestones=tuple(replace(one, value=-one.value) for one in target.milestones),
    )
    today = START + timedelta(days=day)
    assert position(mirrored, -level, today) == position(target, level, today)
    seen, other = judge(target, day, level), judge(mirrored, day, -level)
    assert other.status is seen.status


@given(target=targets, day=days, level=counts, was=st.booleans())
def test_status_keeps_its_precedence(
    target: Target, day: int, level: int, *, was: bool
) -> None:
    """Whatever else holds, calendar and goal go first."""
    seen = judge(target, day, level, was_lagging=was, level_on_due=level)
    due_day = (target.due - START).days
    if day < 0:
        assert seen.status is Status.NOT_STARTED
    elif is_met(target, level):
        assert seen.status is Status.MET
    elif day > due_day:
        assert seen.status is Status.MISSED
    else:
        assert seen.status in {Status.LAGGING, Status.AHEAD, Status.ON_TRACK}
    if seen.status is Status.LAGGING:
        assert day >= 7
        assert seen.position is not None
        assert seen.position < Fraction(target.behind.leave_bp, 10_000)


@given(targets, days, counts)
def test_what_lags_anew_lags_also_with_a_past(
    target: Target, day: int, level: int
) -> None:
    """Hysteresis can only prolong."""
    if judge(target, day, level).status is Status.LAGGING:
        assert judge(target, day, level, was_lagging=True).status is Status.LAGGING


@given(st.fractions())
def test_shown_ratio_is_never_above_the_true_one(ratio: Fraction) -> None:
    """And less than one basis point below it, within what is shown."""
    shown = basis_points(ratio)
    assert shown is not None
    if abs(ratio) < 100_000:
        assert 0 <= ratio * 10_000 - shown < 1
