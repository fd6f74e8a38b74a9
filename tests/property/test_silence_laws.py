"""Laws of an agency's silence, whatever is reported and whenever we are away."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.alerting.core.life_cycle import CREDIT_MAX
from services.alerting.core.silence import (
    Clock,
    Hearing,
    Voice,
    expect,
    hear,
    next_reading,
    tick,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
spans = st.integers(min_value=0, max_value=1_800).map(lambda s: timedelta(seconds=s))
cadences = st.integers(min_value=1, max_value=7_200).map(lambda s: timedelta(seconds=s))


@dataclass(frozen=True)
class Look:
    """One look: how long after the one before, and how old a new report is."""

    pause: timedelta
    age: timedelta | None


looks = st.lists(
    st.builds(Look, pause=spans, age=st.one_of(st.none(), spans)), max_size=60
)


@dataclass(frozen=True)
class Seen:
    """What one look found."""

    now: datetime
    clock: Clock
    before: Hearing
    after: Hearing
    reported_at: datetime | None


def live(sequence: list[Look], cadence: timedelta) -> list[Seen]:
    """Look again and again at an agency; reports never come before noon."""
    clock, now = Clock(timedelta(), NOON), NOON
    hearing, reported_at = expect(clock, NOON), None
    seen = []
    for look in sequence:
        before = now
        now += look.pause
        clock = tick(clock, now)
        if look.age is not None:
            # A report cannot have been there at the look before and not be seen.
            reported_at = max(now - look.age, before)
        after = hear(hearing, reported_at, cadence, clock, now)
        seen.append(Seen(now, clock, hearing, after, reported_at))
        hearing = after
    return seen


@given(looks, cadences)
def test_nobody_is_silent_who_reported_within_the_cadence(
    sequence: list[Look], cadence: timedelta
) -> None:
    """By the calendar, which no absence of ours makes shorter."""
    for one in live(sequence, cadence):
        last = one.reported_at or NOON
        if one.now - last <= cadence:
            assert one.after.voice is not Voice.SILENT


@given(looks, cadences)
def test_whoever_was_listened_to_in_vain_is_silent(
    sequence: list[Look], cadence: timedelta
) -> None:
    """Nothing else delays it: what we listened since the look with the last report."""
    heard = timedelta()
    for one in live(sequence, cadence):
        if one.after.heard_at != one.before.heard_at:
            heard = one.clock.reading
        if one.clock.reading - heard > cadence:
            assert one.after.voice is Voice.SILENT


@given(looks, cadences)
def test_silence_ends_with_a_report_only(
    sequence: list[Look], cadence: timedelta
) -> None:
    """And then as a return."""
    for one in live(sequence, cadence):
        was, voice = one.before.voice, one.after.voice
        if was is Voice.SILENT and voice is not Voice.SILENT:
            assert voice is Voice.RETURNING
            assert one.after.heard_at != one.before.heard_at
        if voice is Voice.RETURNING and was is not Voice.RETURNING:
            assert was is Voice.SILENT


@given(looks, cadences)
def test_looking_twice_changes_nothing(
    sequence: list[Look], cadence: timedelta
) -> None:
    """Two replicas, one after the other, are as one."""
    for one in live(sequence, cadence):
        assert tick(one.clock, one.now) == one.clock
        again = hear(one.after, one.reported_at, cadence, one.clock, one.now)
        assert again == one.after


@given(looks, cadences)
def test_clock_gains_no_more_than_passed_and_no_more_than_allowed(
    sequence: list[Look], cadence: timedelta
) -> None:
    """It only ever runs forward."""
    before = Clock(timedelta(), NOON)
    for one in live(sequence, cadence):
        gain = one.clock.reading - before.reading
        assert before.seen_at is not None
        assert timedelta() <= gain <= min(one.now - before.seen_at, CREDIT_MAX)
        before = one.clock


@given(looks, cadences)
def test_nothing_changes_before_the_reading_that_was_foretold(
    sequence: list[Look], cadence: timedelta
) -> None:
    """Unless a report comes: so nobody has to be looked at before."""
    for one in live(sequence, cadence):
        foretold = next_reading(one.before, cadence)
        has_reported = one.after.heard_at != one.before.heard_at
        if not has_reported and (foretold is None or one.clock.reading < foretold):
            assert one.after.voice is one.before.voice
