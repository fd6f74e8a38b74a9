"""The life of an alert."""

from datetime import UTC, datetime, timedelta

import pytest

from services.alerting.core.life_cycle import (
    CREDIT_MAX,
    Condition,
    Firing,
    Kept,
    Life,
    Pending,
    Policy,
    Quiet,
    Resolved,
    State,
    retire,
    state_of,
    step,
    waits,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PATIENT = Policy(wait=10 * MINUTE, keep=5 * MINUTE)
PROMPT = Policy(wait=timedelta(), keep=timedelta())
HOLDS, CLEAR, UNKNOWN = Condition.HOLDS, Condition.CLEAR, Condition.UNKNOWN


def live(
    conditions: list[Condition], *, policy: Policy = PATIENT, every: timedelta = MINUTE
) -> tuple[Life, list[State]]:
    """Look at a new alert again and again; return its life and what was told."""
    life: Life = Quiet()
    told = []
    for number, condition in enumerate(conditions):
        after = step(life, condition, policy, NOON + number * every)
        life = after.life
        if after.notice is not None:
            told.append(after.notice)
    return life, told


def test_alert_fires_after_its_condition_held_long_enough() -> None:
    """Ten minutes: pending at 9, firing at 10."""
    assert live([HOLDS] * 10)[0] == Pending(1, NOON, 9 * MINUTE, NOON + 9 * MINUTE)
    life, told = live([HOLDS] * 11)
    assert life == Firing(1, NOON, NOON + 10 * MINUTE)
    assert told == [State.PENDING, State.FIRING]


def test_alert_without_waiting_fires_at_once() -> None:
    """And tells only that."""
    life, told = live([HOLDS], policy=PROMPT)
    assert life == Firing(1, NOON, NOON)
    assert told == [State.FIRING]


def test_condition_that_clears_while_pending_ends_the_alert_quietly() -> None:
    """Nothing was raised, so nothing is resolved."""
    life, told = live([HOLDS, HOLDS, CLEAR])
    assert life == Quiet(1)
    assert told == [State.PENDING, State.QUIET]


def test_waiting_starts_anew_after_a_break() -> None:
    """Nine minutes, a break, nine minutes: still pending."""
    life, _ = live([HOLDS] * 10 + [CLEAR] + [HOLDS] * 10)
    assert isinstance(life, Pending)
    assert life.episode == 2


def test_pending_stands_still_while_unknown() -> None:
    """Unknown time counts neither for nor against."""
    life, _ = live([HOLDS] * 6 + [UNKNOWN] * 30)
    assert isinstance(life, Pending)
    assert life.held == 5 * MINUTE
    life, _ = live([HOLDS] * 6 + [UNKNOWN] * 30 + [HOLDS] * 4)
    assert isinstance(life, Pending)
    assert life.held == 9 * MINUTE
    assert isinstance(live([HOLDS] * 6 + [UNKNOWN] * 30 + [HOLDS] * 5)[0], Firing)


def test_firing_alert_stays_firing_while_unknown() -> None:
    """Data that vanish resolve nothing."""
    life, told = live([HOLDS] * 11 + [UNKNOWN] * 1000)
    assert isinstance(life, Firing)
    assert told == [State.PENDING, State.FIRING]


def test_kept_alert_stays_kept_while_unknown() -> None:
    """Nor do they resolve one that was about to be."""
    life, _ = live([HOLDS] * 11 + [CLEAR] * 3 + [UNKNOWN] * 1000)
    assert isinstance(life, Kept)
    assert life.cleared == 2 * MINUTE


def test_quiet_alert_stays_quiet_while_unknown() -> None:
    """Not knowing is no reason to raise anything."""
    assert live([UNKNOWN] * 50) == (Quiet(), [])


def test_cleared_alert_is_kept_and_then_resolved() -> None:
    """Five minutes after it cleared."""
    cleared_at = NOON + 11 * MINUTE
    life, told = live([HOLDS] * 11 + [CLEAR] * 5)
    assert isinstance(life, Kept)
    assert life.since == cleared_at
    life, told = live([HOLDS] * 11 + [CLEAR] * 6)
    assert life == Resolved(1, NOON, NOON + 10 * MINUTE, at=cleared_at + 5 * MINUTE)
    assert told == [State.PENDING, State.FIRING, State.KEPT, State.RESOLVED]


def test_alert_that_is_not_kept_resolves_at_once() -> None:
    """Keep of zero."""
    life, told = live([HOLDS, CLEAR], policy=PROMPT)
    assert isinstance(life, Resolved)
    assert told == [State.FIRING, State.RESOLVED]


def test_condition_that_returns_while_kept_goes_on_firing() -> None:
    """One episode, one start: for everybody outside it never stopped."""
    life, told = live([HOLDS] * 11 + [CLEAR] * 3 + [HOLDS])
    assert life == Firing(1, NOON, NOON + 10 * MINUTE, was_kept=True)
    assert told == [State.PENDING, State.FIRING, State.KEPT]


def test_no_state_of_an_episode_is_told_twice() -> None:
    """Flapping between firing and kept repeats no message id."""
    _, told = live([HOLDS] * 11 + [CLEAR, HOLDS] * 5 + [CLEAR] * 6)
    assert told == [State.PENDING, State.FIRING, State.KEPT, State.RESOLVED]


def test_new_episode_begins_after_the_last_one_was_resolved() -> None:
    """With a number of its own."""
    life, _ = live([HOLDS, CLEAR, HOLDS], policy=PROMPT)
    assert life == Firing(2, NOON + 2 * MINUTE, NOON + 2 * MINUTE)


def test_time_when_nobody_looked_counts_for_little() -> None:
    """Down for a day: what happened meanwhile is not known."""
    life, _ = live([HOLDS, HOLDS], every=timedelta(days=1))
    assert isinstance(life, Pending)
    assert life.held == CREDIT_MAX


def test_clock_that_was_set_back_takes_nothing_away() -> None:
    """The database's clock may jump."""
    life = Pending(1, NOON, 4 * MINUTE, NOON)
    after = step(life, HOLDS, PATIENT, NOON - 60 * MINUTE)
    assert after.life == Pending(1, NOON, 4 * MINUTE, NOON - 60 * MINUTE)


@pytest.mark.parametrize(
    "life",
    [
        Firing(3, NOON, NOON),
        Kept(3, NOON, NOON, NOON, timedelta(), NOON),
    ],
)
def test_raised_alert_about_something_removed_resolves(life: Life) -> None:
    """At once, whatever its policy says."""
    after = retire(life, NOON + MINUTE)
    assert after.life == Resolved(3, NOON, NOON, NOON + MINUTE)
    assert after.notice is State.RESOLVED


def test_other_alert_about_something_removed_becomes_quiet() -> None:
    """What was never raised is not resolved."""
    assert retire(Pending(3, NOON, MINUTE, NOON), NOON).notice is State.QUIET
    assert retire(Quiet(3), NOON).notice is None
    resolved = Resolved(3, NOON, NOON, NOON)
    assert retire(resolved, NOON).life == resolved


def test_next_change_by_the_clock_is_known() -> None:
    """So that nobody has to look every second."""
    assert waits(Pending(1, NOON, 4 * MINUTE, NOON), PATIENT) == 6 * MINUTE
    kept = Kept(1, NOON, NOON, NOON, 2 * MINUTE, NOON)
    assert waits(kept, PATIENT) == 3 * MINUTE
    assert waits(Firing(1, NOON, NOON), PATIENT) is None


def test_every_life_has_a_state() -> None:
    """Named as the contract names it."""
    lives: list[Life] = [
        Quiet(),
        Pending(1, NOON, MINUTE, NOON),
        Firing(1, NOON, NOON),
        Kept(1, NOON, NOON, NOON, MINUTE, NOON),
        Resolved(1, NOON, NOON, NOON),
    ]
    assert [state_of(life) for life in lives] == list(State)
