"""When a webhook is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta

import pytest

from services.alerting.core.retries import (
    ALLOWANCE_MAX,
    KEEP,
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

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
NEW = Waiting(queued_at=NOW, next_at=NOW)
TAKEN = answer_of(204)
AWAY = answer_of(503)
REFUSED = answer_of(422)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.TAKEN),
        (204, Outcome.TAKEN),
        (301, Outcome.AWAY),
        (400, Outcome.REFUSED),
        (401, Outcome.AWAY),
        (404, Outcome.AWAY),
        (410, Outcome.REFUSED),
        (413, Outcome.REFUSED),
        (422, Outcome.REFUSED),
        (429, Outcome.AWAY),
        (500, Outcome.AWAY),
        (503, Outcome.AWAY),
    ],
)
def test_only_what_is_about_the_message_refuses_it(
    status: int, outcome: Outcome
) -> None:
    """A redirect is no success, and a wrong path can be mended at the receiver."""
    assert answer_of(status).outcome is outcome


def test_message_that_is_refused_again_and_again_is_given_up() -> None:
    """After five refusals, with the reason."""
    fate = judge(NEW, REFUSED, now=NOW, spread=0)
    for _ in range(REFUSALS_MAX - 2):
        assert isinstance(fate, Waiting)
        fate = judge(fate, REFUSED, now=fate.next_at, spread=0)
    assert isinstance(fate, Waiting)
    at = fate.next_at
    assert judge(fate, REFUSED, now=at, spread=0) == Dead(5, 5, at, "status_422")


def test_outage_gives_nothing_up_until_messages_are_too_old() -> None:
    """However often it was tried meanwhile."""
    fate = judge(
        Waiting(NOW, NOW, tries=1_000),
        AWAY,
        now=NOW + KEEP - timedelta(seconds=1),
        spread=0,
    )
    assert isinstance(fate, Waiting)
    fate = judge(fate, AWAY, now=NOW + KEEP, spread=0)
    assert fate == Dead(1_002, 0, NOW + KEEP, "status_503")


def test_message_that_is_taken_late_is_told_all_the_same() -> None:
    """What got through is never called dead."""
    late = NOW + 2 * KEEP
    assert judge(NEW, TAKEN, now=late, spread=0) == Told(1, late)


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 5), (1, 10), (2, 20), (6, 320), (7, 600), (500, 600)]
)
def test_message_waits_twice_as_long_each_time_up_to_ten_minutes(
    tries: int, seconds: int
) -> None:
    """Chance shortens it, by a half at most."""
    before = Waiting(NOW, NOW, tries=tries)
    for spread, share in ((0.0, 1.0), (1.0, 0.5)):
        fate = judge(before, AWAY, now=NOW, spread=spread)
        assert isinstance(fate, Waiting)
        assert fate.next_at - NOW == timedelta(seconds=seconds * share)


def test_hour_of_outage_costs_its_receiver_few_tries() -> None:
    """One message at a time, further and further apart."""
    health, now, tries = Health(allowance=ALLOWANCE_MAX), NOW, 0
    while now < NOW + timedelta(hours=1):
        pause = after_round(health, [AWAY], now=now, spread=1)
        health, now, tries = pause.health, pause.next_at, tries + 1
        assert health.allowance == 1
    assert tries < 40
    assert now < NOW + timedelta(hours=1, minutes=5)


def test_receiver_that_is_back_is_sent_more_and_more() -> None:
    """At first one message, then two, four and so on; up to 64 at once."""
    health, allowances = Health(failures=9), []
    for _ in range(8):
        allowances.append(health.allowance)
        pause = after_round(health, [TAKEN] * health.allowance, now=NOW, spread=0)
        assert pause.next_at == NOW
        health = pause.health
    assert allowances == [1, 2, 4, 8, 16, 32, 64, 64]
    assert health.failures == 0


def test_message_that_is_refused_does_not_hold_up_its_receiver() -> None:
    """The receiver is there: others go on at once."""
    assert after_round(Health(), [REFUSED], now=NOW, spread=0).next_at == NOW


def test_receiver_that_takes_some_is_sent_less() -> None:
    """Half as much, after a second."""
    pause = after_round(Health(0, 16), [TAKEN, AWAY], now=NOW, spread=0)
    assert pause.health == Health(0, 8)
    assert pause.next_at == NOW + timedelta(seconds=1)


def test_receiver_that_asks_for_a_pause_gets_it_up_to_an_hour() -> None:
    """Nobody stops the messages for a year by a header."""
    asked = answer_of(429, timedelta(minutes=7))
    pause = after_round(Health(), [asked, TAKEN], now=NOW, spread=0)
    assert pause.next_at == NOW + timedelta(minutes=7)
    endless = answer_of(503, timedelta(days=365))
    pause = after_round(Health(), [endless], now=NOW, spread=0)
    assert pause.next_at == NOW + timedelta(hours=1)
    assert Answer(Outcome.AWAY, "timeout").retry_after == timedelta()
