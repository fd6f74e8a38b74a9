"""What a look writes down: news, and alerts whose words no longer hold."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.alerting.core.alerts import Kind
from services.alerting.core.evaluation import Evaluation, Memory, evaluate
from services.alerting.core.life_cycle import Firing, Life, Pending
from services.alerting.core.risk import Outlook
from services.alerting.core.standing import WORDS_KEPT, LastLook, changed_at
from services.alerting.core.texts import Names
from tests.unit.alerting.cases import NOON, RISING, on_day, reading

NAMES = Names("Cashless accounts", "Tài khoản không dùng tiền mặt", "Thanh Hóa")
INTERVAL = timedelta(seconds=10)
DAY = 50
RAISED: dict[Kind, Life] = {
    Kind.LAGGING: Firing(1, NOON - timedelta(days=2), NOON - timedelta(days=1))
}
FIRST = Memory(None, None, None, is_lagging=False, lives=RAISED)


def look(
    memory: Memory,
    level: int = 1_000,
    *,
    after: timedelta = timedelta(),
    day: int = DAY,
    outlook: Outlook | None = None,
) -> Evaluation:
    """Look at a target that lags, a while after noon."""
    now = NOON + after
    figures = replace(reading(level), complete_until=now, outlook=outlook)
    return evaluate(
        RISING,
        NAMES,
        memory,
        figures,
        is_removed=False,
        today=on_day(day),
        now=now,
        interval=INTERVAL,
    )


def remember(
    result: Evaluation, at: datetime, *, written_at: datetime | None = None
) -> Memory:
    """Remember a look as the store does.

    Args:
        result: What it found.
        at: When it was.
        written_at: When its alerts were put into words, if not then.
    """
    seen = result.assessment
    lives = {each.kind: each.life for each in result.alerts} or RAISED
    last = LastLook(
        at=at,
        day=on_day(DAY),
        standing=result.standing,
        changed_at=result.changed_at,
        written=dict.fromkeys(lives, written_at or at),
    )
    return Memory(
        status=seen.status,
        reason=seen.reason,
        status_since=result.status_since,
        is_lagging=seen.is_lagging,
        lives=lives,
        last=last,
    )


def test_first_look_writes_all_and_the_next_one_only_that_it_was() -> None:
    """Nothing new to show, no alert to write, and looked at again as ever."""
    first = look(FIRST)
    assert (first.is_news, first.changed_at, len(first.alerts)) == (True, NOON, 1)
    second = look(remember(first, NOON), after=INTERVAL)
    assert (second.is_news, second.changed_at, second.alerts) == (False, NOON, ())
    assert second.standing == first.standing
    assert second.next_at == NOON + 2 * INTERVAL


def test_target_that_was_taken_over_again_is_written_anew() -> None:
    """Its names or the operator's words may be others."""
    memory = replace(remember(look(FIRST), NOON), last=None)
    again = look(memory, after=INTERVAL)
    assert again.is_news
    assert len(again.alerts) == 1


@pytest.mark.parametrize("level", [999, 1_001])
def test_figures_that_move_are_shown_at_once(level: int) -> None:
    """And put into words no more often than Alertmanager would be told of them."""
    memory = remember(look(FIRST), NOON)
    moved = look(memory, level, after=timedelta(seconds=1))
    assert moved.is_news
    assert moved.alerts == ()
    memory = remember(moved, NOON + timedelta(seconds=1), written_at=NOON)
    assert look(memory, level, after=WORDS_KEPT - timedelta(seconds=1)).alerts == ()
    (alert,) = look(memory, level, after=WORDS_KEPT).alerts
    assert f"{level:,}" in alert.summary.english
    assert alert.life == RAISED[Kind.LAGGING]
    assert alert.notice is None


def test_new_day_is_told_though_no_figure_moves() -> None:
    """The words name the day by which so much was due."""
    result = look(remember(look(FIRST), NOON), after=WORDS_KEPT, day=DAY + 1)
    assert result.is_news
    assert len(result.alerts) == 1
    first = look(FIRST)
    last, later = remember(first, NOON).last, NOON + INTERVAL
    assert last is not None
    assert changed_at(last, first.standing, on_day(DAY), later) == last.changed_at
    assert changed_at(last, first.standing, on_day(DAY + 1), later) == later


def test_new_forecast_is_told_though_no_figure_moves() -> None:
    """Also one that was made before the last look, and committed after it."""
    old = Outlook(on_day(DAY - 1), 5_000, made_at=NOON - timedelta(days=1))
    made = replace(old, made_at=NOON - timedelta(seconds=1))
    memory = remember(look(FIRST, outlook=old), NOON)
    assert not look(memory, after=INTERVAL, outlook=old).is_news
    assert look(memory, after=INTERVAL, outlook=made).is_news
    assert len(look(memory, after=WORDS_KEPT, outlook=made).alerts) == 1


def test_waiting_alert_is_written_when_it_begins_and_when_it_fires() -> None:
    """Not at the looks between."""
    memory = Memory(None, None, None, is_lagging=False, lives={})
    first = look(memory)
    assert isinstance(first.alerts[0].life, Pending)
    assert look(remember(first, NOON), after=INTERVAL).alerts == ()


def test_alert_moves_at_once_however_new_its_words_are() -> None:
    """A level at the goal resolves, and the words say so."""
    memory = remember(look(FIRST), NOON)
    kinds = {each.kind for each in look(memory, 2_000, after=INTERVAL).alerts}
    assert kinds == {Kind.LAGGING, Kind.MET}
