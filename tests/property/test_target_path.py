"""Laws of paths, positions and statuses."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.alerting.core.path import expected, is_met, position
from services.alerting.core.status import Status, basis_points
from shared.catalogue.model import Behind, LocalityKey, Target
from tests.unit.alerting.cases import START, judge

counts = st.integers(min_value=0, max_value=10**12)
days = st.integers(min_value=-30, max_value=800)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """Draw a rising or falling target."""
    start_value = draw(counts)
    goal_value = draw(counts.filter(lambda value: value != start_value))
    enter = draw(st.integers(min_value=0, max_value=10_000))
    return Target(
        id="drawn",
        indicator="cashless_accounts",
        locality=LocalityKey("38", date(2025, 7, 1)),
        start_date=START,
        start_value=start_value,
        due=START + timedelta(days=draw(st.integers(min_value=1, max_value=700))),
        goal_value=goal_value,
        behind=Behind(
            enter_bp=enter,
            leave_bp=draw(st.integers(min_value=enter, max_value=12_000)),
        ),
        illustrative=True,
    )


@given(targets(), days)
def test_path_moves_towards_the_goal_only(target: Target, day: int) -> None:
    """From any day to the next, and never beyond its two ends."""
    today = START + timedelta(days=day)
    step = expected(target, today + timedelta(days=1)) - expected(target, today)
    assert step == 0 or (step > 0) == (target.goal_value > target.start_value)
    low, high = sorted((target.start_value, target.goal_value))
    assert low <= expected(target, today) <= high


@given(targets(), st.integers(min_value=1, max_value=800), counts, counts)
def test_a_better_level_never_has_a_lower_position(
    target: Target, day: int, one: int, other: int
) -> None:
    """In the direction of the target."""
    better, worse = max(one, other), min(one, other)
    if target.goal_value < target.start_value:
        better, worse = worse, better
    today = START + timedelta(days=day)
    assert position(target, better, today) >= position(target, worse, today)


@given(targets(), days, counts, st.integers(min_value=2, max_value=1_000))
def test_position_does_not_depend_on_the_unit_of_measure(
    target: Target, day: int, level: int, factor: int
) -> None:
    """Counted in thousands it is the same."""
    scaled = replace(
        target,
        start_value=target.start_value * factor,
        goal_value=target.goal_value * factor,
    )
    today = START + timedelta(days=day)
    assert position(scaled, level * factor, today) == position(target, level, today)


@given(targets(), days, counts)
def test_mirrored_target_stands_where_the_target_stands(
    target: Target, day: int, level: int
) -> None:
    """Less is better is more is better, seen from the other side."""
    mirrored = replace(
        target,
        start_value=-target.start_value,
        goal_value=-target.goal_value,
    )
    today = START + timedelta(days=day)
    assert position(mirrored, -level, today) == position(target, level, today)
    seen, other = judge(target, day, level), judge(mirrored, day, -level)
    assert other.status is seen.status


@given(target=targets(), day=days, level=counts, was=st.booleans())
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


@given(targets(), days, counts)
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
