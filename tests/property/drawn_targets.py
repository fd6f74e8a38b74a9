"""Targets as Hypothesis draws them: rising and falling, on each kind of path."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import strategies as st

from shared.catalogue.model import (
    Behind,
    LocalityKey,
    Milestone,
    Population,
    Target,
    Trajectory,
)
from tests.unit.alerting.cases import START

COUNT_MAX = 10**12
UNIT = LocalityKey("38", date(2025, 7, 1))

counts = st.integers(min_value=0, max_value=COUNT_MAX)
days = st.integers(min_value=-30, max_value=800)


@st.composite
def linear_targets(draw: st.DrawFn) -> Target:
    """Draw a target on a straight path."""
    start_value = draw(counts)
    goal_value = draw(counts.filter(lambda value: value != start_value))
    enter = draw(st.integers(min_value=0, max_value=10_000))
    return Target(
        id="drawn",
        indicator="cashless_accounts",
        locality=UNIT,
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


@st.composite
def milestone_targets(draw: st.DrawFn) -> Target:
    """Draw a target with up to eight milestones, level stretches among them."""
    target = draw(linear_targets())
    length = (target.due - START).days
    low, high = sorted((target.start_value, target.goal_value))
    at = sorted(draw(st.sets(st.integers(1, max(1, length - 1)), max_size=8)))
    values = sorted(
        draw(st.lists(st.integers(low, high), min_size=len(at), max_size=len(at))),
        reverse=target.goal_value < target.start_value,
    )
    milestones = tuple(
        Milestone(START + timedelta(days=day), value)
        for day, value in zip(at, values, strict=True)
        if day < length
    )
    return replace(target, trajectory=Trajectory.MILESTONES, milestones=milestones)


@st.composite
def logistic_targets(draw: st.DrawFn) -> Target:
    """Draw a target on an S-curve."""
    ceiling = draw(st.integers(min_value=3, max_value=COUNT_MAX))
    inside = st.integers(min_value=1, max_value=ceiling - 1)
    start_value = draw(inside)
    goal_value = draw(inside.filter(lambda value: value != start_value))
    return replace(
        draw(linear_targets()),
        start_value=start_value,
        goal_value=goal_value,
        trajectory=Trajectory.LOGISTIC,
        population=Population("people", UNIT, START, ceiling, "drawn"),
    )


exact_targets = st.one_of(linear_targets(), milestone_targets())
targets = st.one_of(linear_targets(), milestone_targets(), logistic_targets())
