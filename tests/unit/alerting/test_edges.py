"""The edges of DESIGN section 8, each by its name, and the order of its statuses."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from services.alerting.core.alerts import Kind
from services.alerting.core.evaluation import Evaluation, Memory
from services.alerting.core.life_cycle import Firing, Kept, Quiet, Resolved
from services.alerting.core.pace import measure_pace
from services.alerting.core.path import local_day
from services.alerting.core.status import Assessment, Status, assess
from shared.catalogue.model import Measure, Milestone, Target, Trajectory
from shared.catalogue.periods import parse_period
from tests.unit.alerting.cases import FALLING, NOON, RISING, judge, on_day, reading
from tests.unit.alerting.test_evaluation import FRESH, PROMPT, look

LATE = NOON - timedelta(minutes=6)
RESTING = replace(
    RISING,
    trajectory=Trajectory.MILESTONES,
    milestones=(Milestone(on_day(40), 1_000), Milestone(on_day(60), 1_500)),
)
"""Nothing is due of it in its first forty days."""


def test_statuses_hold_in_the_order_of_the_contract() -> None:
    """A target to which all of them apply, and then one after the other no more."""
    unstarted = judge(RISING, -1, 2_000, is_filling=True, complete_until=LATE)
    assert unstarted.status is Status.NOT_STARTED
    # Before "met", since an empty copy would meet every falling target (ADR 0008).
    filling = judge(RISING, 50, 2_000, is_filling=True, complete_until=LATE)
    assert filling.status is Status.UNKNOWN
    for level, status in ((2_000, Status.MET), (1_999, Status.MISSED)):
        over = judge(RISING, 101, 0, level_on_due=level, complete_until=LATE)
        assert over.status is status
    assert judge(RISING, 50, 2_000, complete_until=LATE).status is Status.MET
    old = judge(RISING, 50, 1_000, was_lagging=True, complete_until=LATE)
    assert old.status is Status.UNKNOWN
    assert judge(RISING, 50, 1_000, was_lagging=True).status is Status.LAGGING
    assert judge(RISING, 50, 1_525).status is Status.AHEAD
    assert judge(RISING, 50, 1_500).status is Status.ON_TRACK


@pytest.mark.parametrize(("target", "level"), [(RISING, 2_000), (FALLING, 1_000)])
def test_goal_already_met_at_the_start_is_met(target: Target, level: int) -> None:
    """On the first day, with nothing required any more and no pace that falls short."""
    seen = judge(target, 0, level)
    assert seen.status is Status.MET
    assert seen.required_per_day is None
    assert seen.short_pace.is_enough


def test_goal_already_met_before_the_start_waits_for_it() -> None:
    """Not started goes first."""
    assert judge(RISING, -1, 2_000).status is Status.NOT_STARTED


@pytest.mark.parametrize(
    ("level", "position", "status"),
    [
        (1_000, 1, Status.ON_TRACK),
        (1_400, 1, Status.ON_TRACK),
        (999, 0, Status.LAGGING),
    ],
)
def test_start_equals_expected_far_from_the_start(
    level: int, position: int, status: Status
) -> None:
    """A path that rests is met by whoever has lost nothing; no division by zero."""
    seen = judge(RESTING, 30, level)
    assert seen.expected == 1_000
    assert seen.position == position
    assert seen.status is status


def test_start_equals_expected_on_the_first_day() -> None:
    """Whatever the path; a level that is worse does not lag within seven days."""
    for target in (RISING, RESTING):
        assert judge(target, 0, 1_000).position == 1
        assert judge(target, 0, 999).position == 0
        assert judge(target, 0, 999).status is Status.ON_TRACK


def test_zero_days_left_requires_nothing_and_forgives_nothing() -> None:
    """On the due day the position alone decides; no pace can make up any more."""
    behind = judge(RISING, 100, 1_800, short_effect=700, long_effect=2_800)
    assert behind.status is Status.LAGGING
    assert behind.required_per_day is None
    assert behind.short_pace.ratio is None
    assert not behind.short_pace.is_enough
    near = judge(RISING, 100, 1_999, short_effect=0, long_effect=0)
    assert near.status is Status.ON_TRACK


def test_one_day_left_still_has_a_required_rate() -> None:
    """All that is missing, in one day."""
    assert judge(RISING, 99, 1_900).required_per_day == 100


def test_history_shorter_than_the_window_is_used_as_it_is() -> None:
    """Three complete days of the target's run, in both windows."""
    seen = judge(RISING, 3, 1_030, short_effect=30, long_effect=30)
    assert (seen.short_pace.days, seen.long_pace.days) == (3, 3)
    assert seen.short_pace.achieved_per_day == 10
    assert seen.long_pace.ratio == Fraction(10 * 97, 970)


def test_history_of_no_complete_day_claims_no_pace() -> None:
    """A successor that starts today is not slow because it is new."""
    pace = measure_pace(RISING, 1_000, 0, 28, on_day(0))
    assert (pace.days, pace.achieved_per_day, pace.is_enough) == (0, None, True)


def test_flow_stands_where_what_came_in_its_run_has_brought_it() -> None:
    """Half of a quarter, half of what is due in it."""
    flow = replace(RISING, measure=Measure.FLOW, start_value=0, goal_value=1_000)
    assert judge(flow, 50, 500).position == 1
    assert judge(flow, 50, 400, short_effect=40, long_effect=200).status is (
        Status.LAGGING
    )
    assert judge(flow, 101, 0, level_on_due=1_000).status is Status.MET


@pytest.mark.parametrize(
    ("instant", "status"),
    [
        (datetime(2026, 9, 30, 16, 59, 59, tzinfo=UTC), Status.NOT_STARTED),
        (datetime(2026, 9, 30, 17, tzinfo=UTC), Status.ON_TRACK),
        (datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC), Status.LAGGING),
        (datetime(2026, 12, 31, 17, tzinfo=UTC), Status.MISSED),
    ],
)
def test_calendar_period_begins_and_ends_at_midnight_of_the_catalogues_time_zone(
    instant: datetime, status: Status
) -> None:
    """The fourth quarter in Vietnam is seven hours ahead of that in UTC."""
    quarter = parse_period("2026-Q4")
    assert quarter is not None
    target = replace(
        RISING,
        measure=Measure.FLOW,
        start_date=quarter.first_day,
        due=quarter.last_day,
        start_value=0,
    )
    seen = assess(
        target,
        reading(0, level_on_due=0, complete_until=instant),
        was_lagging=False,
        today=local_day(instant, "Asia/Ho_Chi_Minh"),
        now=instant,
    )
    assert seen.status is status


def test_rate_is_required_of_the_goal_also_where_the_path_rests() -> None:
    """As section 8 has it: over the days left, not up to the next milestone."""
    assert judge(RESTING, 30, 1_000).required_per_day == Fraction(1_000, 70)


def changed(target: Target, level: int, before: Evaluation) -> Evaluation:
    """Look again on day 50, after the catalogue changed, with what was remembered."""
    seen = before.assessment
    memory = Memory(
        seen.status,
        seen.reason,
        before.status_since,
        seen.is_lagging,
        {alert.kind: alert.life for alert in before.alerts},
    )
    return look(target, 50, level, memory=memory)


def test_target_changed_half_way_is_judged_by_its_new_path_from_its_old_start() -> None:
    """A higher goal asks for more today already; nothing is forgiven, nothing kept."""
    before = look(RISING, 50, 1_500)
    assert before.assessment.status is Status.ON_TRACK
    after = changed(replace(RISING, goal_value=3_000), 1_500, before)
    assert after.assessment.expected == 2_000
    assert after.assessment.status is Status.LAGGING
    assert after.assessment.position == Fraction(1, 2)


def test_met_target_whose_goal_was_raised_half_way_is_open_again() -> None:
    """The news that it was met is taken back."""
    before = look(PROMPT, 50, 2_000)
    (met,) = before.alerts
    assert isinstance(met.life, Firing)
    after = changed(replace(PROMPT, goal_value=2_200), 2_000, before)
    (over,) = after.alerts
    assert after.assessment.status is Status.AHEAD
    assert (over.kind, type(over.life)) == (Kind.MET, Resolved)


def test_target_changed_half_way_keeps_its_hysteresis_and_its_alert() -> None:
    """An easier path ends a lag at `leave`, as if the path had always been it."""
    firing = replace(
        FRESH,
        status=Status.LAGGING,
        status_since=NOON,
        is_lagging=True,
        lives={Kind.LAGGING: Firing(3, NOON, NOON)},
    )
    level = 1_230
    still = look(replace(RISING, goal_value=1_500), 50, level, memory=firing)
    assert still.assessment.position == Fraction(92, 100)
    assert still.assessment.status is Status.LAGGING
    (alert,) = still.alerts
    assert (alert.life, alert.notice) == (Firing(3, NOON, NOON), None)
    ended = look(replace(RISING, goal_value=1_480), 50, level, memory=firing)
    assert ended.assessment.status is Status.ON_TRACK
    assert isinstance(ended.alerts[0].life, Kept)


def test_target_turned_round_half_way_counts_towards_its_new_goal() -> None:
    """Less is better from now on, and was from the start."""
    seen = changed(replace(RISING, goal_value=0), 1_500, look(RISING, 50, 1_500))
    assert seen.assessment.position == -1
    assert seen.assessment.status is Status.LAGGING


def test_target_whose_start_moved_to_the_future_has_not_started() -> None:
    """What waited is dropped."""
    before = look(RISING, 50, 1_000)
    later = replace(RISING, start_date=on_day(60))
    after = changed(later, 1_000, before)
    assert after.assessment.status is Status.NOT_STARTED
    assert [type(alert.life) for alert in after.alerts] == [Quiet]


def test_path_does_not_change_what_is_read() -> None:
    """Of two paths to one goal the level, the paces and what is required are alike."""

    def figures(seen: Assessment) -> tuple[object, ...]:
        return seen.actual, seen.short_pace, seen.long_pace, seen.required_per_day

    straight, bent = judge(RISING, 50, 1_200), judge(RESTING, 50, 1_200)
    assert figures(straight) == figures(bent)
    assert straight.position != bent.position
