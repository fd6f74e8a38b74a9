"""Laws of an alert's life, whatever happens in whatever order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.alerting.core.life_cycle import (
    CREDIT_MAX,
    Condition,
    Firing,
    Kept,
    Life,
    Policy,
    Quiet,
    State,
    Step,
    carry,
    retire,
    step,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
looks = st.lists(
    st.tuples(
        st.sampled_from(Condition),
        st.integers(min_value=0, max_value=900).map(lambda s: timedelta(seconds=s)),
    ),
    max_size=60,
)
spans = st.integers(min_value=0, max_value=1_800).map(lambda s: timedelta(seconds=s))
policies = st.builds(Policy, wait=spans, keep=spans)
Look = tuple[Condition, timedelta]


def live(
    sequence: list[Look], policy: Policy
) -> list[tuple[Condition, datetime, Life, Step]]:
    """Return every look: condition, instant, life before, step."""
    life: Life = Quiet()
    now = NOON
    seen = []
    for condition, pause in sequence:
        now += pause
        after = step(life, condition, policy, now)
        seen.append((condition, now, life, after))
        life = after.life
    return seen


def is_raised(life: Life) -> bool:
    """Tell whether somebody outside sees the alert."""
    return isinstance(life, Firing | Kept)


@given(looks, policies)
def test_nothing_resolves_that_did_not_fire(
    sequence: list[Look], policy: Policy
) -> None:
    """Per episode, a resolved notice comes after a firing one."""
    fired = set()
    for _, _, _, after in live(sequence, policy):
        if after.notice is State.FIRING:
            fired.add(after.life.episode)
        if after.notice is State.RESOLVED:
            assert after.life.episode in fired


@given(looks, policies)
def test_no_state_of_an_episode_is_told_twice(
    sequence: list[Look], policy: Policy
) -> None:
    """So that fingerprint, episode and state name one message."""
    told = [
        (after.life.episode, after.notice)
        for _, _, _, after in live(sequence, policy)
        if after.notice is not None
    ]
    assert len(told) == len(set(told))


@given(looks, policies)
def test_nothing_fires_before_its_condition_held_for_long_enough(
    sequence: list[Look], policy: Policy
) -> None:
    """Counted from the outside: known time since the last clear look."""
    held, holds_since = timedelta(), False
    before = NOON
    for condition, now, _, after in live(sequence, policy):
        if condition is Condition.HOLDS:
            if holds_since:
                held += min(now - before, CREDIT_MAX)
            holds_since = True
        elif condition is Condition.CLEAR:
            held, holds_since = timedelta(), False
        if after.notice is State.FIRING:
            assert condition is Condition.HOLDS
            assert held >= policy.wait
        before = now


@given(looks, policies)
def test_unknown_tells_nothing_and_moves_nothing(
    sequence: list[Look], policy: Policy
) -> None:
    """Neither raised nor resolved, however long it lasts."""
    for condition, _, before, after in live(sequence, policy):
        if condition is Condition.UNKNOWN:
            assert after.notice is None
            assert type(after.life) is type(before)


@given(looks, policies)
def test_an_alert_is_raised_and_ends_only_with_a_notice(
    sequence: list[Look], policy: Policy
) -> None:
    """What Alertmanager sees and what the topic tells agree."""
    for _, _, before, after in live(sequence, policy):
        if is_raised(after.life) and not is_raised(before):
            assert after.notice is State.FIRING
        if is_raised(before) and not is_raised(after.life):
            assert after.notice is State.RESOLVED


@given(looks, policies)
def test_episodes_only_grow(sequence: list[Look], policy: Policy) -> None:
    """By one at a time, when a life begins."""
    for _, _, before, after in live(sequence, policy):
        assert after.life.episode - before.episode in {0, 1}


@given(looks, policies)
def test_looking_twice_at_one_instant_changes_nothing(
    sequence: list[Look], policy: Policy
) -> None:
    """Two replicas, one after the other, are as one; waits of zero aside."""
    patient = Policy(
        wait=policy.wait + timedelta(seconds=1), keep=policy.keep + timedelta(seconds=1)
    )
    for condition, now, _, after in live(sequence, patient):
        again = step(after.life, condition, patient, now)
        assert again.life == after.life
        assert again.notice is None


@given(looks, policies)
def test_what_is_removed_is_over(sequence: list[Look], policy: Policy) -> None:
    """Whatever its life was, nobody sees it any more, and nothing more is told."""
    seen = live(sequence, policy)
    life = seen[-1][3].life if seen else Quiet()
    ended = retire(life, NOON + timedelta(days=1))
    assert not is_raised(ended.life)
    assert (ended.notice is State.RESOLVED) == is_raised(life)
    assert retire(ended.life, NOON + timedelta(days=2)).notice is None


@given(looks, policies)
def test_life_written_only_where_something_happens_is_the_whole_life(
    sequence: list[Look], policy: Policy
) -> None:
    """What looks that go on leave unwritten is told by the instant of the last one."""
    written: Life = Quiet()
    seen_at = NOON
    for condition, now, before, after in live(sequence, policy):
        # What a replica reads that has just been started.
        assert carry(written, seen_at) == before
        assert step(carry(written, seen_at), condition, policy, now) == after
        if after.life != carry(before, now):
            written = after.life
        seen_at = now


def test_alert_that_waits_for_a_day_is_written_once() -> None:
    """Six looks a minute change no row of it while it is pending, and while kept."""
    day, pause = timedelta(days=1), timedelta(seconds=10)
    looked = [(Condition.HOLDS, pause)] * 8_641 + [(Condition.CLEAR, pause)] * 8_641
    found = live(looked, Policy(wait=day, keep=day))
    begun, cleared = NOON + pause, NOON + day + 2 * pause
    assert [
        now for _, now, before, after in found if after.life != carry(before, now)
    ] == [begun, begun + day, cleared, cleared + day]
