"""A target at risk: when it begins, when it ends, and what is said of it."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from services.alerting.core.alerts import Kind, condition_of
from services.alerting.core.evaluation import Evaluation, Memory, evaluate
from services.alerting.core.life_cycle import Condition, Firing, State
from services.alerting.core.risk import Outlook, RiskLimits
from services.alerting.core.status import Reading, Status
from services.alerting.core.texts import Names
from shared.catalogue.model import Behind
from tests.unit.alerting.cases import DUE, NOON, RISING, on_day, reading

DAY = 50
NAMES = Names("Cashless accounts", "Tài khoản không dùng tiền mặt", "Thanh Hóa")
PROMPT = replace(
    RISING, behind=Behind(for_seconds=0, keep_seconds=0), illustrative=False
)
FRESH = Memory(None, None, None, is_lagging=False, lives={})
WAS = replace(FRESH, is_at_risk=True)
ON_PATH = 1_500


def outlook(miss_bp: int | None, *, days_old: int = 1) -> Outlook:
    """Build a forecast; yesterday's unless told otherwise."""
    return Outlook(on_day(DAY - days_old), miss_bp)


def seen(
    level: int, forecast: Outlook | None, *, until: datetime | None = NOON
) -> Reading:
    """Build a reading with a forecast."""
    return replace(reading(level), outlook=forecast, complete_until=until)


def look(
    read: Reading,
    memory: Memory = FRESH,
    *,
    limits: RiskLimits | None = None,
) -> Evaluation:
    """Evaluate the target half-way."""
    return evaluate(
        PROMPT,
        NAMES,
        memory,
        read,
        is_removed=False,
        today=on_day(DAY),
        now=NOON,
        interval=timedelta(seconds=10),
        limits=limits or RiskLimits(),
    )


@pytest.mark.parametrize(
    ("miss_bp", "memory", "status"),
    [
        (4_999, FRESH, Status.ON_TRACK),
        (5_000, FRESH, Status.AT_RISK),
        (4_001, WAS, Status.AT_RISK),
        (4_000, WAS, Status.ON_TRACK),
        (4_500, FRESH, Status.ON_TRACK),
    ],
)
def test_risk_begins_at_one_half_and_ends_at_two_fifths(
    miss_bp: int, memory: Memory, status: Status
) -> None:
    """Between the two the earlier judgement holds."""
    assert look(seen(ON_PATH, outlook(miss_bp)), memory).assessment.status is status


def test_limits_are_those_that_were_set() -> None:
    """An operator who would rather hear less sets them higher."""
    limits = RiskLimits(enter_bp=8_000, leave_bp=7_000, alert_bp=9_000)
    result = look(seen(ON_PATH, outlook(7_999)), limits=limits)
    assert result.assessment.status is Status.ON_TRACK


def test_at_risk_comes_before_ahead() -> None:
    """Far along the path now, and yet likely to be missed."""
    result = look(seen(1_900, outlook(9_000)))
    assert result.assessment.status is Status.AT_RISK


def test_lagging_comes_before_at_risk_and_keeps_it_in_mind() -> None:
    """The risk is still there when the target no longer lags."""
    result = look(seen(1_100, outlook(9_000)))
    assert result.assessment.status is Status.LAGGING
    assert result.assessment.is_at_risk


def test_met_comes_before_at_risk() -> None:
    """A forecast of yesterday does not outlive the goal."""
    assert look(seen(2_000, outlook(9_000))).assessment.status is Status.MET


@pytest.mark.parametrize("memory", [FRESH, WAS])
def test_without_a_forecast_the_earlier_judgement_holds(memory: Memory) -> None:
    """While one is made anew a target is neither taken to be at risk nor safe."""
    result = look(seen(ON_PATH, None), memory)
    assert result.assessment.is_at_risk is memory.is_at_risk


def test_a_forecast_that_says_nothing_ends_the_risk() -> None:
    """Nothing is claimed where the method does not apply."""
    assert not look(seen(ON_PATH, outlook(None)), WAS).assessment.is_at_risk


@pytest.mark.parametrize(("days_old", "is_told"), [(3, True), (4, False)])
def test_old_forecast_is_no_longer_used(days_old: int, *, is_told: bool) -> None:
    """After three days without a new one it says nothing any more."""
    result = look(seen(ON_PATH, outlook(9_000, days_old=days_old)))
    assert (result.assessment.status is Status.AT_RISK) is is_told
    assert (result.assessment.outlook is not None) is is_told


def test_unknown_keeps_what_was_judged_before() -> None:
    """Neither begins a risk nor ends one."""
    blind = seen(ON_PATH, outlook(9_000), until=None)
    assert not look(blind).assessment.is_at_risk
    blind = seen(ON_PATH, outlook(0), until=None)
    result = look(blind, WAS)
    assert result.assessment.status is Status.UNKNOWN
    assert result.assessment.is_at_risk


def test_target_gravely_at_risk_raises_its_alert() -> None:
    """Of its own kind, with the patience of the target."""
    result = look(seen(ON_PATH, outlook(8_000)))
    assert [(a.kind, a.notice) for a in result.alerts] == [(Kind.AT_RISK, State.FIRING)]


def test_lesser_risk_is_shown_and_not_told() -> None:
    """The status says it; nobody is woken."""
    result = look(seen(ON_PATH, outlook(7_999)))
    assert result.assessment.status is Status.AT_RISK
    assert result.alerts == ()


def test_alert_of_a_risk_goes_on_until_the_risk_is_over() -> None:
    """A chance that falls below where it began does not end it; the status does."""
    life = Firing(1, NOON, NOON)
    raised = replace(WAS, lives={Kind.AT_RISK: life})
    (alert,) = look(seen(ON_PATH, outlook(4_500)), raised).alerts
    assert (alert.life, alert.notice) == (life, None)
    (alert,) = look(seen(ON_PATH, outlook(4_000)), raised).alerts
    assert not isinstance(alert.life, Firing)


@pytest.mark.parametrize(
    ("status", "condition"),
    [
        (Status.AT_RISK, Condition.HOLDS),
        (Status.LAGGING, Condition.UNKNOWN),
        (Status.ON_TRACK, Condition.CLEAR),
        (Status.MET, Condition.CLEAR),
        (Status.MISSED, Condition.CLEAR),
    ],
)
def test_alert_of_a_risk_stands_still_while_the_target_lags(
    status: Status, condition: Condition
) -> None:
    """What was feared has come: the alert of that tells it, this one does not end."""
    found = condition_of(
        Kind.AT_RISK, RISING, status, status_since=NOON, today=DUE, now=NOON
    )
    assert found is condition


def test_lagging_target_does_not_raise_a_second_alert_about_its_risk() -> None:
    """One alert for one trouble; the other, if raised before, stays."""
    result = look(seen(1_100, outlook(9_000)))
    assert [alert.kind for alert in result.alerts] == [Kind.LAGGING]
    raised = replace(WAS, lives={Kind.AT_RISK: Firing(1, NOON, NOON)})
    result = look(seen(1_100, outlook(9_000)), raised)
    assert {alert.kind: alert.notice for alert in result.alerts} == {
        Kind.LAGGING: State.FIRING,
        Kind.AT_RISK: None,
    }


def test_text_tells_the_chance_and_the_days() -> None:
    """In both languages."""
    forecast = Outlook(
        on_day(49), 8_246, date(2026, 4, 2), date(2026, 5, 9), date(2026, 12, 30)
    )
    (alert,) = look(seen(ON_PATH, forecast)).alerts
    assert alert.summary.english == (
        "Thanh Hóa risks missing its target for cashless accounts: 1,500 so far, 2,000 "
        "are due by 11 April 2026. The chance of missing 11 April 2026 is 82 %. The "
        "change is 0 a day, 10 a day is needed. As it has gone so far it will be "
        "reached between 2 April 2026 and December 2026."
    )
    assert alert.summary.vietnamese == (
        "Thanh Hóa có nguy cơ không đạt chỉ tiêu tài khoản không dùng tiền mặt: hiện "
        "có 1.500, chỉ tiêu là 2.000 đến ngày 11/4/2026. Khả năng không đạt vào ngày "
        "11/4/2026 là 82%. Mỗi ngày thay đổi 0, cần 10 mỗi ngày. Với tiến độ đến nay "
        "sẽ đạt được từ ngày 2/4/2026 đến tháng 12/2026."
    )


def test_text_of_a_lagging_target_ends_with_the_days() -> None:
    """Between when and when it comes at this pace, if a forecast was made."""
    forecast = Outlook(on_day(49), 9_999, date(2029, 10, 3), None, None)
    (alert,) = look(seen(1_100, forecast)).alerts
    assert alert.summary.english.endswith(
        "As it has gone so far it will be reached after October 2029, if at all."
    )
    (alert,) = look(seen(1_100, None)).alerts
    assert alert.summary.english.endswith("to reach 2,000 by 11 April 2026.")
