"""When a contestant is killed, and what its rate is taken from."""

import time

from tests.bench.peers.contestant import OurService
from tests.bench.peers.match import Match, Rules

TRUE = {("accounts", "bank", "00001", "2026-11-20"): (100, 0)}


def match(*, kills: int = 1, seconds_alone: float = 0.0) -> Match:
    """Return a match that nobody plays."""
    return Match(OurService(), Rules(1_000, TRUE, kills, 60.0, seconds_alone))


def test_a_kill_is_due_in_the_middle_of_the_way() -> None:
    """One kill comes half way, and none once everything is counted."""
    plan = match()
    due = []
    for counted in (10, 49, 50, 99, 100):
        plan._has_moved |= plan._watch.note(counted)
        due.append(plan._is_kill_due())
    assert due == [False, False, True, True, False]


def test_who_shows_nothing_is_killed_by_the_time_it_takes_alone() -> None:
    """A program that commits once, at its end, is killed before that too."""
    plan = match(seconds_alone=10.0)
    assert not plan._is_kill_due()
    plan._watch.changed = time.monotonic() - 9.5
    assert plan._is_kill_due()


def test_the_rate_lies_between_the_first_commit_and_the_last() -> None:
    """What the first commit brought took an unknown time and is left out."""
    plan = match(kills=0)
    watch = plan._watch
    watch.first = (watch.began + 2.0, 20)
    watch.last = (watch.began + 4.0, 100)
    outcome = plan._outcome(TRUE)
    assert round(outcome.rate) == 400
    assert round(outcome.rate_from_start) == 250


def test_one_big_first_commit_is_measured_from_the_start() -> None:
    """Who works for long before its first commit is not infinitely fast."""
    plan = match(kills=0)
    watch = plan._watch
    watch.first = (watch.began + 4.0, 90)
    watch.last = (watch.began + 5.0, 100)
    outcome = plan._outcome(TRUE)
    assert round(outcome.rate) == 200
    assert "from its start" in outcome.remark
