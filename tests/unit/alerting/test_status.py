"""The first status of DESIGN section 8 that holds."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from services.alerting.core.status import Reason, Status, basis_points
from shared.catalogue.model import Behind
from tests.unit.alerting.cases import FALLING, NOON, RISING, judge

LATE = NOON - timedelta(minutes=5, seconds=1)


def test_target_before_its_start_is_not_started() -> None:
    """Even if its goal is met already, and it has no position."""
    seen = judge(RISING, -1, 5_000)
    assert seen.status is Status.NOT_STARTED
    assert seen.position is None


def test_target_that_starts_today_has_started() -> None:
    """On its path, with nothing due yet."""
    assert judge(RISING, 0, 1_000).status is Status.ON_TRACK


def test_after_the_due_day_the_level_on_that_day_decides() -> None:
    """What came too late does not make it met, what left later does not unmake it."""
    late = judge(RISING, 101, 2_500, level_on_due=1_999)
    assert late.status is Status.MISSED
    assert late.actual == 1_999
    assert judge(RISING, 101, 1_000, level_on_due=2_000).status is Status.MET


def test_on_the_due_day_itself_nothing_is_missed_yet() -> None:
    """The day is not over."""
    seen = judge(RISING, 100, 1_999, level_on_due=None)
    assert seen.status is Status.ON_TRACK


def test_target_is_not_missed_before_its_due_day_is_complete() -> None:
    """What was logged late on that day may be on its way; what is met stays met."""
    late = judge(RISING, 101, 1_999, level_on_due=1_999, is_due_complete=False)
    assert (late.status, late.reason) == (Status.UNKNOWN, Reason.PLATFORM)
    met = judge(RISING, 101, 2_000, level_on_due=2_000, is_due_complete=False)
    assert met.status is Status.MET
    on_time = judge(RISING, 100, 1_999, is_due_complete=False)
    assert on_time.status is Status.ON_TRACK


def test_met_goes_before_unknown() -> None:
    """A goal reached stays reached when our figures are a little old."""
    assert judge(RISING, 50, 2_000, complete_until=LATE).status is Status.MET


def test_met_again_below_the_goal_is_no_longer_met() -> None:
    """Reversals may take it back before the due day."""
    assert judge(RISING, 50, 1_999).status is Status.AHEAD


def test_falling_target_is_met_below_its_goal() -> None:
    """Less is better."""
    assert judge(FALLING, 50, 900).status is Status.MET


def test_old_watermark_makes_a_target_unknown() -> None:
    """More than 5 minutes behind, reason platform; exactly 5 minutes is not."""
    seen = judge(RISING, 50, 1_500, complete_until=LATE)
    assert seen.status is Status.UNKNOWN
    assert seen.reason is Reason.PLATFORM
    edge = NOON - timedelta(minutes=5)
    assert judge(RISING, 50, 1_500, complete_until=edge).status is Status.ON_TRACK


def test_missing_watermark_makes_a_target_unknown() -> None:
    """Nothing tells how old the figures are."""
    assert judge(RISING, 50, 1_500, complete_until=None).status is Status.UNKNOWN


def test_filling_copy_makes_everything_unknown_that_has_started() -> None:
    """Half a copy would show a falling target as met and a due one as missed."""
    for target, day in ((RISING, 50), (FALLING, 50), (RISING, 101)):
        seen = judge(target, day, 0, level_on_due=0, is_filling=True)
        assert seen.status is Status.UNKNOWN
    assert judge(RISING, -1, 0, is_filling=True).status is Status.NOT_STARTED


def test_unknown_remembers_whether_the_target_lagged() -> None:
    """What cannot be judged changes no earlier judgement."""
    for was in (True, False):
        seen = judge(RISING, 50, 1_000, was_lagging=was, complete_until=None)
        assert seen.is_lagging is was


def test_target_below_enter_with_both_paces_below_one_lags() -> None:
    """Position 0.8, nothing coming."""
    assert judge(RISING, 50, 1_400).status is Status.LAGGING


def test_target_exactly_at_enter_does_not_lag() -> None:
    """Below means below: 0.9 is not, 0.898 is."""
    assert judge(RISING, 50, 1_450).status is Status.ON_TRACK
    assert judge(RISING, 50, 1_449).status is Status.LAGGING


@pytest.mark.parametrize(("short", "long"), [(84, 0), (0, 336), (84, 336)])
def test_one_sufficient_pace_keeps_a_target_from_lagging(short: int, long: int) -> None:
    """12 a day are required: both windows must fall short to enter."""
    seen = judge(RISING, 50, 1_400, short_effect=short, long_effect=long)
    assert seen.status is Status.ON_TRACK


def test_nothing_lags_in_its_first_seven_days() -> None:
    """Day 6 is the seventh day; on the eighth it may."""
    assert judge(RISING, 6, 1_000).status is Status.ON_TRACK
    assert judge(RISING, 7, 1_000).status is Status.LAGGING


def test_lagging_target_goes_on_lagging_until_leave() -> None:
    """Between enter and leave the earlier judgement holds."""
    assert judge(RISING, 50, 1_474, was_lagging=True).status is Status.LAGGING
    assert judge(RISING, 50, 1_474, was_lagging=False).status is Status.ON_TRACK
    assert judge(RISING, 50, 1_475, was_lagging=True).status is Status.ON_TRACK


def test_lagging_ends_only_when_both_paces_suffice() -> None:
    """One sufficient pace, which keeps from entering, does not end it."""
    one = judge(RISING, 50, 1_400, was_lagging=True, short_effect=84)
    assert one.status is Status.LAGGING
    both = judge(RISING, 50, 1_400, was_lagging=True, short_effect=84, long_effect=336)
    assert both.status is Status.ON_TRACK
    assert not both.is_lagging


def test_own_limits_of_a_target_are_used() -> None:
    """Enter at 0.5 instead of 0.9."""
    patient = replace(RISING, behind=Behind(enter_bp=5_000, leave_bp=6_000))
    assert judge(patient, 50, 1_300).status is Status.ON_TRACK
    assert judge(patient, 50, 1_249).status is Status.LAGGING


def test_position_of_at_least_one_point_nought_five_is_ahead() -> None:
    """The limit belongs to ahead."""
    assert judge(RISING, 50, 1_525).status is Status.AHEAD
    assert judge(RISING, 50, 1_524).status is Status.ON_TRACK


def test_falling_target_that_does_not_fall_lags() -> None:
    """Position 0, pace 0."""
    seen = judge(FALLING, 50, 2_000)
    assert seen.status is Status.LAGGING
    assert seen.position == 0


def test_basis_points_never_show_a_limit_as_reached() -> None:
    """Rounded down, also below zero."""
    assert basis_points(Fraction(8_999_999, 10_000_000)) == 8_999
    assert basis_points(Fraction(-1, 30_000)) == -1
    assert basis_points(None) is None


def test_basis_points_stay_within_what_a_column_holds() -> None:
    """A level far off the path is shown as far off."""
    assert basis_points(Fraction(10**15)) == 1_000_000_000
    assert basis_points(Fraction(-(10**15))) == -1_000_000_000


def test_silence_makes_a_target_unknown_and_says_so() -> None:
    """Neither behind nor ahead is claimed, and an earlier lag is not forgotten."""
    for reason in (Reason.SILENT, Reason.NEVER_REPORTED):
        seen = judge(RISING, 50, 1_100, was_lagging=True, silence=reason)
        assert (seen.status, seen.reason) == (Status.UNKNOWN, reason)
        assert seen.is_lagging


def test_platform_goes_before_silence() -> None:
    """Who is behind does not say of others that they are silent."""
    late = judge(RISING, 50, 1_100, complete_until=LATE, silence=Reason.SILENT)
    filling = judge(RISING, 50, 1_100, is_filling=True, silence=Reason.SILENT)
    assert late.reason is filling.reason is Reason.PLATFORM


def test_met_missed_and_not_started_go_before_silence() -> None:
    """What the calendar and the goal decide needs nobody's report."""
    silent = Reason.SILENT
    assert judge(RISING, 50, 2_000, silence=silent).status is Status.MET
    assert judge(RISING, -1, 1_000, silence=silent).status is Status.NOT_STARTED
    late = judge(RISING, 101, 1_000, level_on_due=1_000, silence=silent)
    assert (late.status, late.reason) == (Status.MISSED, None)
