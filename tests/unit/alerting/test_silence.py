"""The life of an agency's silence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.alerting.core.life_cycle import CREDIT_MAX, Condition
from services.alerting.core.silence import (
    NO_GAP,
    SETTLE_MAX,
    Clock,
    Gap,
    Hearing,
    Voice,
    condition_of_silence,
    expect,
    hear,
    is_behind,
    next_reading,
    policy_of_silence,
    reason_of,
    share_bp,
    tick,
)
from services.alerting.core.status import Reason

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)


def listened(reading: timedelta) -> Clock:
    """Return a clock that has run without a break since noon."""
    return Clock(reading, NOON + reading)


def at(
    hearing: Hearing,
    reading: timedelta,
    reported: timedelta | None = None,
    cadence: timedelta | None = DAY,
) -> Hearing:
    """Look once, so long after noon, at an agency that reported so long after it."""
    reported_at = None if reported is None else NOON + reported
    return hear(hearing, reported_at, cadence, listened(reading), NOON + reading)


NEW = expect(listened(timedelta()), NOON)
HEARD = at(NEW, MINUTE, MINUTE)
SILENT = at(HEARD, MINUTE + DAY + SECOND, MINUTE)
RETURNED = at(SILENT, 3 * DAY, 3 * DAY)


def test_agency_is_silent_once_its_cadence_is_over() -> None:
    """A report after exactly one cadence is still in time."""
    assert HEARD.voice is Voice.HEARD
    assert at(HEARD, MINUTE + DAY, MINUTE).voice is Voice.HEARD
    assert SILENT.voice is Voice.SILENT
    assert SILENT.since == NOON + MINUTE + DAY + SECOND


def test_agency_that_never_sent_anything_is_silent_after_a_cadence() -> None:
    """From when it was first expected: it is not fresh for want of a date."""
    assert at(NEW, DAY).voice is Voice.HEARD
    silent = at(NEW, DAY + SECOND)
    assert silent.voice is Voice.SILENT
    assert silent.heard_at is None


def test_report_from_before_it_was_expected_gives_no_less_time() -> None:
    """Whoever is given a cadence today is not silent today."""
    old = at(NEW, MINUTE, -9 * DAY)
    assert old.voice is Voice.HEARD
    assert old.heard_at == NOON - 9 * DAY
    assert at(old, DAY, -9 * DAY).voice is Voice.HEARD
    assert at(old, DAY + SECOND, -9 * DAY).voice is Voice.SILENT


def test_agency_that_owes_no_reports_is_never_silent() -> None:
    """Without a cadence there is nothing to be late for."""
    assert at(NEW, 900 * DAY, None, None).voice is Voice.HEARD
    assert next_reading(NEW, None) is None


def test_cadence_taken_away_ends_a_silence_at_once() -> None:
    """Nobody expects anything any more."""
    assert at(SILENT, 2 * DAY, MINUTE, None).voice is Voice.HEARD


def test_longer_cadence_ends_a_silence_as_a_return_does() -> None:
    """And a shorter one begins one."""
    assert at(SILENT, 2 * DAY, MINUTE, 7 * DAY).voice is Voice.RETURNING
    assert at(HEARD, 2 * HOUR, MINUTE, HOUR).voice is Voice.SILENT


def test_agency_that_reports_again_is_returning_before_it_is_heard() -> None:
    """It owes three days, and its first event is not all of them."""
    assert RETURNED.voice is Voice.RETURNING
    almost = 3 * DAY + SETTLE_MAX - SECOND
    assert at(RETURNED, almost, 3 * DAY).voice is Voice.RETURNING
    heard = at(RETURNED, almost + SECOND, 3 * DAY)
    assert heard.voice is Voice.HEARD
    assert heard.since == NOON + 3 * DAY + SETTLE_MAX


def test_agency_with_a_short_cadence_is_given_no_longer_than_that_to_settle() -> None:
    """Ten minutes of ten."""
    silent = at(HEARD, HOUR, MINUTE, 10 * MINUTE)
    back = at(silent, 2 * HOUR, 2 * HOUR, 10 * MINUTE)
    later = at(back, 2 * HOUR + 10 * MINUTE, 2 * HOUR, 10 * MINUTE)
    assert (back.voice, later.voice) == (Voice.RETURNING, Voice.HEARD)


def test_agency_that_returns_and_falls_silent_again_is_silent() -> None:
    """Looked at only once, long after both."""
    assert at(RETURNED, 5 * DAY, 3 * DAY).voice is Voice.SILENT


def test_report_is_dated_by_the_log_and_not_by_when_it_was_noticed() -> None:
    """Half an hour between two looks does not lengthen a cadence."""
    half = 30 * MINUTE
    hearing = at(HEARD, HOUR, half)
    assert hearing.mark == half
    assert next_reading(hearing, DAY) == half + DAY


def test_earlier_report_than_the_one_known_changes_nothing() -> None:
    """A rebuild may mend a date; what was heard was heard."""
    hearing = at(HEARD, HOUR, -DAY)
    assert (hearing.heard_at, hearing.mark) == (HEARD.heard_at, HEARD.mark)


def test_report_logged_after_the_copy_is_complete_counts_as_just_heard() -> None:
    """Clocks of brokers and of the database may differ."""
    hearing = at(HEARD, HOUR, 2 * HOUR)
    assert hearing.mark == HOUR


def test_time_in_which_we_were_away_makes_nobody_silent() -> None:
    """Thirty hours of ours, and the agency still has the rest of its day."""
    clock = tick(listened(HOUR), NOON + 31 * HOUR)
    assert clock.reading == HOUR + CREDIT_MAX
    late = hear(HEARD, HEARD.heard_at, DAY, clock, NOON + 31 * HOUR)
    assert late.voice is Voice.HEARD


def test_report_from_before_our_absence_keeps_the_time_that_was_left() -> None:
    """It was logged in the gap, long before we are back: no burst on our return."""
    clock = tick(listened(HOUR), NOON + 40 * HOUR)
    hearing = at(HEARD, HOUR, MINUTE)
    back = hear(hearing, NOON + 2 * HOUR, DAY, clock, NOON + 40 * HOUR)
    assert back.voice is Voice.HEARD
    assert back.mark == HOUR


def test_silence_goes_on_over_our_absence() -> None:
    """Who was silent before is silent after, until it reports."""
    clock = tick(Clock(2 * DAY, NOON + 2 * DAY), NOON + 9 * DAY)
    after = hear(SILENT, SILENT.heard_at, DAY, clock, NOON + 9 * DAY)
    assert (after.voice, after.since) == (Voice.SILENT, SILENT.since)


def test_clock_runs_only_as_far_as_the_copy_is_complete() -> None:
    """A report that is on its way to us is not missed."""
    clock = tick(tick(Clock(), NOON), NOON + 4 * MINUTE)
    assert clock == Clock(4 * MINUTE, NOON + 4 * MINUTE)
    assert tick(clock, NOON + 4 * MINUTE) == clock
    assert tick(clock, None) == clock


def test_clock_never_runs_backwards() -> None:
    """Nor does it count the same time twice."""
    clock = listened(HOUR)
    back = tick(clock, NOON)
    assert back == clock
    assert tick(back, NOON + HOUR).reading == HOUR


def test_clock_that_is_first_looked_at_has_listened_to_nothing() -> None:
    """Whatever the hour."""
    assert tick(Clock(), NOON) == Clock(timedelta(), NOON)


@pytest.mark.parametrize(
    ("until", "is_filling", "behind"),
    [
        (NOON, False, False),
        (NOON - 5 * MINUTE, False, False),
        (NOON - 5 * MINUTE - SECOND, False, True),
        (NOON, True, True),
        (None, False, True),
    ],
)
def test_we_are_behind_from_five_minutes_or_while_the_copy_fills(
    until: datetime | None,
    is_filling: bool,  # noqa: FBT001 - parametrize passes by name
    behind: bool,  # noqa: FBT001 - parametrize passes by name
) -> None:
    """As for targets."""
    assert is_behind(until, NOON, is_filling=is_filling) is behind


def test_alert_holds_while_silent_and_stands_still_while_we_are_behind() -> None:
    """Then no agency is called silent, nor taken back."""
    assert condition_of_silence(Voice.SILENT, behind=False) is Condition.HOLDS
    for voice in (Voice.HEARD, Voice.RETURNING):
        assert condition_of_silence(voice, behind=False) is Condition.CLEAR
    for voice in Voice:
        assert condition_of_silence(voice, behind=True) is Condition.UNKNOWN


def test_alert_needs_no_waiting_and_is_kept_while_the_agency_settles() -> None:
    """The cadence was the waiting."""
    policy = policy_of_silence(DAY)
    assert (policy.wait, policy.keep) == (timedelta(), SETTLE_MAX)
    assert policy_of_silence(MINUTE).keep == MINUTE
    assert policy_of_silence(None).keep == timedelta()


def test_next_change_by_the_clock_is_known() -> None:
    """So that nobody has to be looked at before."""
    assert next_reading(HEARD, DAY) == MINUTE + DAY
    assert next_reading(SILENT, DAY) is None
    assert next_reading(RETURNED, DAY) == 3 * DAY + SETTLE_MAX
    assert next_reading(replace(RETURNED, mark=timedelta()), HOUR) == HOUR


def test_share_from_the_limit_on_makes_a_target_unknown() -> None:
    """Five percent by default, and exactly five are enough."""
    assert reason_of(Gap(share_bp=499)) is None
    assert reason_of(Gap(share_bp=500)) is Reason.SILENT
    assert reason_of(Gap(share_bp=500), 501) is None
    assert reason_of(NO_GAP) is None


def test_required_agency_needs_no_share() -> None:
    """Silent, or never heard of; of the two, silence is told."""
    assert reason_of(Gap(is_required_silent=True)) is Reason.SILENT
    assert reason_of(Gap(is_required_unheard=True)) is Reason.NEVER_REPORTED
    assert reason_of(Gap(600, is_required_unheard=True)) is Reason.SILENT


def test_share_is_of_all_that_was_brought_and_is_rounded_down() -> None:
    """Nothing brought at all is nobody's share."""
    assert share_bp([(19, False), (1, True)]) == 500
    assert share_bp([(20, False), (1, True)]) == 476
    assert share_bp([(7, True)]) == 10_000
    assert share_bp([]) == 0
    assert share_bp([(0, True)]) == 0
