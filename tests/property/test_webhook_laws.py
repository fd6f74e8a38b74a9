"""Laws of webhooks, whatever a receiver does and whenever it is away."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.alerting.core.retries import (
    ALLOWANCE_MAX,
    KEEP,
    MESSAGE_LONGEST,
    RECEIVER_LONGEST,
    REFUSALS_MAX,
    Answer,
    Dead,
    Health,
    Outcome,
    Told,
    Waiting,
    after_round,
    answer_of,
    judge,
)

START = datetime(2026, 11, 22, tzinfo=UTC)
SPREADS = st.floats(0, 1)
STATUSES = st.sampled_from([200, 204, 301, 400, 401, 404, 410, 422, 429, 500, 503])
ANSWERS = st.builds(
    answer_of, STATUSES, st.timedeltas(timedelta(), timedelta(days=400))
)


@given(st.lists(st.tuples(ANSWERS, SPREADS), min_size=1, max_size=60))
def test_message_ends_once_and_for_one_reason(
    script: list[tuple[Answer, float]],
) -> None:
    """Taken at the first success, given up at the fifth refusal or by its age."""
    fate: Waiting = Waiting(START, START)
    for number, (answer, spread) in enumerate(script, start=1):
        now = fate.next_at
        found = judge(fate, answer, now=now, spread=spread)
        assert found.tries == number
        if answer.outcome is Outcome.TAKEN:
            assert found == Told(number, now)
            return
        if isinstance(found, Dead):
            assert found.refusals == REFUSALS_MAX or now - START >= KEEP
            assert found.reason == answer.reason
            return
        assert isinstance(found, Waiting)
        assert found.refusals < REFUSALS_MAX
        assert now < found.next_at <= now + MESSAGE_LONGEST
        fate = found


@given(
    st.lists(st.tuples(st.lists(ANSWERS, min_size=1), SPREADS), min_size=1, max_size=40)
)
def test_receiver_is_never_left_for_long_and_never_flooded(
    rounds: list[tuple[list[Answer], float]],
) -> None:
    """A round is small; the pause after it is at most what it asks for, or five min."""
    health, now = Health(), START
    for answers, spread in rounds:
        pause = after_round(health, answers, now=now, spread=spread)
        asked = max(answer.retry_after for answer in answers)
        assert asked <= timedelta(hours=1)
        assert now <= pause.next_at <= now + max(asked, RECEIVER_LONGEST)
        assert 1 <= pause.health.allowance <= ALLOWANCE_MAX
        if any(answer.outcome is Outcome.AWAY for answer in answers):
            assert pause.next_at > now
            assert pause.health.allowance <= health.allowance
        health, now = pause.health, pause.next_at


@given(
    count=st.integers(1, 300),
    away=st.timedeltas(timedelta(), timedelta(hours=60)),
    spread=SPREADS,
)
def test_outage_loses_nothing_and_its_end_is_no_storm(
    count: int, away: timedelta, spread: float
) -> None:
    """All that waited is told once, in rounds that double, soon after the end."""
    waiting = [Waiting(START, START) for _ in range(count)]
    health, now, rounds, told = Health(allowance=ALLOWANCE_MAX), START, [], 0
    ends_at = START + away
    while waiting:
        due = sorted(
            (each for each in waiting if each.next_at <= now),
            key=lambda each: each.next_at,
        )[: health.allowance]
        if not due:
            now = min(each.next_at for each in waiting)
            continue
        answer = answer_of(503 if now < ends_at else 200)
        for each in due:
            waiting.remove(each)
            fate = judge(each, answer, now=now, spread=spread)
            assert not isinstance(fate, Dead)
            if isinstance(fate, Waiting):
                waiting.append(fate)
            else:
                told += 1
        if now >= ends_at:
            rounds.append(len(due))
        pause = after_round(health, [answer] * len(due), now=now, spread=spread)
        health, now = pause.health, pause.next_at
    assert told == count == sum(rounds)
    assert max(rounds) <= ALLOWANCE_MAX
    if away:
        assert all(size <= 2**number for number, size in enumerate(rounds))
    assert now <= ends_at + RECEIVER_LONGEST + MESSAGE_LONGEST
