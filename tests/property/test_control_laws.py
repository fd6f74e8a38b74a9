"""Laws of claims, whatever is claimed, counted and looked at."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.alerting.core.agency_alerts import Duty
from services.alerting.core.control import PATIENCE, Control, judge_controls
from services.alerting.core.control_alerts import (
    LOOK_AGAIN,
    Claims,
    Comparison,
    compare,
)
from services.alerting.core.life_cycle import Life, Quiet, State

START = datetime(2026, 11, 21, 3, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ZONE = "Asia/Ho_Chi_Minh"
OPEN_DAYS = 3
DUTY = Duty(
    agency="bank",
    agency_name="Bank association",
    indicator="cashless_accounts",
    indicator_name="Cashless accounts",
    indicator_name_vi="Tài khoản không dùng tiền mặt",
    locality="38",
    province="38",
    timezone=ZONE,
    cadence=None,
    expected_at=START,
    is_removed=False,
)
claims = st.dictionaries(
    st.integers(min_value=-6, max_value=3),
    st.tuples(st.integers(0, 2), st.integers(-1, 2)),
    max_size=6,
).map(
    lambda found: tuple(
        Control(date(2026, 11, 21) + ahead * DAY, claimed, counted)
        for ahead, (claimed, counted) in found.items()
    )
)
moments = st.integers(min_value=0, max_value=3 * 24 * 60).map(
    lambda minutes: START + minutes * MINUTE
)


def look(
    controls: tuple[Control, ...], life: Life, now: datetime, *, behind: bool = False
) -> Comparison:
    """Look at claims at an instant."""
    return compare(
        Claims(DUTY, controls, OPEN_DAYS),
        life,
        None,
        now,
        PATIENCE,
        behind=behind,
        now=now,
    )


@given(claims, moments, st.integers(min_value=0, max_value=4 * 24 * 60))
def test_clock_changes_nothing_before_the_look_that_waits_for_it(
    controls: tuple[Control, ...], now: datetime, minutes: int
) -> None:
    """But for the minute by which a midnight may be noticed late."""
    seen = look(controls, Quiet(), now)
    later = now + minutes * MINUTE
    if seen.next_at is not None:
        later = max(now, min(later, seen.next_at - LOOK_AGAIN))
    verdicts = [
        judge_controls(controls, at, ZONE, open_days=OPEN_DAYS, behind=False)
        for at in (now, later)
    ]
    assert verdicts[0] == verdicts[1]


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200))
def test_no_alert_fires_before_its_hour_and_none_tells_a_state_twice(
    looks: list[tuple[bool, bool]],
) -> None:
    """Looks a minute apart: whether the day differs, and whether we are behind."""
    life: Life = Quiet()
    held = 0
    told: list[tuple[int, State]] = []
    for minute, (differs, behind) in enumerate(looks):
        control = Control(date(2026, 11, 20), 2, 1 if differs else 2)
        seen = look((control,), life, START + minute * MINUTE, behind=behind)
        if not behind:
            held = held + 1 if differs else 0
        if seen.alert is None:
            continue
        life = seen.alert.life
        if seen.alert.notice is not None:
            told.append((life.episode, seen.alert.notice))
            if seen.alert.notice is State.FIRING:
                assert held > PATIENCE.wait // MINUTE
    assert len(told) == len(set(told))
