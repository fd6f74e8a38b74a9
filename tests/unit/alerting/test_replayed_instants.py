"""A replay looks when a wait is over, and when figures are too old, to the minute."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from services.alerting.core.alerts import MET_TOLD
from services.alerting.core.backtest import UNSEEN, Knowledge, Turn, Watch, watch
from services.alerting.core.status import BEHIND_MAX
from shared.catalogue.model import Behind, LocalityKey, Target
from tests.property.test_backtest_laws import FIRST, HOUR, NAMES, TIMEZONE

WAIT = timedelta(minutes=30)
TARGET = Target(
    id="one",
    indicator="cashless_accounts",
    locality=LocalityKey("38", date(2025, 7, 1)),
    start_date=date(2026, 2, 1),
    start_value=0,
    due=date(2026, 5, 1),
    goal_value=1_000,
    behind=Behind(for_seconds=1_800, keep_seconds=1_800),
)
WATCH = Watch(TARGET, NAMES, TIMEZONE)
BEHIND = Knowledge(FIRST, 0, None, {}, date(2026, 2, 1))


def told(turns: tuple[Turn, ...]) -> list[tuple[str, datetime]]:
    """Name states and their instants."""
    return [(turn.state.value, turn.at) for turn in turns]


def test_alert_fires_when_its_wait_is_over() -> None:
    """Not with the next thing that is known, nor at midnight."""
    _, turns = watch(WATCH, UNSEEN, BEHIND, None, FIRST + 6 * HOUR)
    assert told(turns) == [("pending", FIRST), ("firing", FIRST + WAIT)]


def test_met_target_is_told_for_a_week() -> None:
    """The alert ends at the minute at which it began."""
    # Not at a midnight, when it is looked at anyway.
    begin = FIRST + HOUR
    met = replace(BEHIND, at=begin, level=1_000)
    _, turns = watch(WATCH, UNSEEN, met, None, begin + MET_TOLD + 6 * HOUR)
    assert told(turns) == [("firing", begin), ("resolved", begin + MET_TOLD)]


def test_wait_stands_still_once_figures_are_too_old() -> None:
    """What was credited before counts on when figures are there again."""
    old = replace(BEHIND, complete_until=FIRST)
    after, turns = watch(WATCH, UNSEEN, old, None, FIRST + 6 * HOUR)
    assert told(turns) == [("pending", FIRST)]
    new = replace(BEHIND, at=FIRST + 6 * HOUR)
    _, turns = watch(WATCH, after, new, None, FIRST + 12 * HOUR)
    (only,) = told(turns)
    assert only[0] == "firing"
    rest = only[1] - new.at
    assert WAIT - BEHIND_MAX - WATCH.interval <= rest < WAIT
