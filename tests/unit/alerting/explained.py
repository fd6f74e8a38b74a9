"""Targets of every kind to be explained, and the files of what is said of them.

`python -m tests.unit.alerting.explained` writes the files anew.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from services.alerting.core.explanation import Case, StoredAlert, explain, layout
from services.alerting.core.figures import Names
from services.alerting.core.life_cycle import Firing, Kept, Pending, Resolved
from services.alerting.core.risk import Outlook
from services.alerting.core.silence import DEFAULT_SHARE_BP, Gap, reason_of
from services.alerting.core.status import DEFAULT_LIMITS, Reading, Status, assess
from shared.catalogue.model import (
    LocalityKey,
    Measure,
    Milestone,
    Population,
    Target,
    Trajectory,
)

FOLDER: Final = Path(__file__).parent / "golden"
ZONE: Final = "Asia/Ho_Chi_Minh"
THANH_HOA: Final = LocalityKey("38", date(2025, 7, 1))
NOW: Final = datetime(2026, 11, 21, 12, 40, tzinfo=UTC)
TODAY: Final = date(2026, 11, 21)
PEOPLE: Final = Population(
    "population_15_plus",
    THANH_HOA,
    date(2025, 7, 1),
    2_690_001,
    "made up",
    illustrative=True,
)
LINEAR: Final = Target(
    id="tha-cashless-2026",
    indicator="cashless_accounts",
    locality=THANH_HOA,
    start_date=date(2026, 1, 1),
    start_value=854_000,
    due=date(2026, 12, 31),
    goal_value=2_152_001,
    goal_share_bp=8_000,
    population=PEOPLE,
    illustrative=True,
)
MILESTONES: Final = replace(
    LINEAR,
    id="tha-buyers-2026",
    indicator="ecommerce_buyers",
    start_value=114_396,
    goal_value=180_000,
    goal_share_bp=None,
    population=None,
    trajectory=Trajectory.MILESTONES,
    milestones=(
        Milestone(date(2026, 5, 31), 125_000),
        Milestone(date(2026, 9, 30), 160_000),
    ),
    issued_by="decision 12/QĐ",
    illustrative=False,
)
LOGISTIC: Final = replace(
    LINEAR, id="tha-cashless-curve", trajectory=Trajectory.LOGISTIC
)
FLOW: Final = replace(
    LINEAR,
    id="tha-transactions-2026-q4",
    indicator="ecommerce_transactions",
    measure=Measure.FLOW,
    start_date=date(2026, 10, 1),
    start_value=0,
    goal_value=8_000,
    goal_share_bp=None,
    population=None,
    period="2026-Q4",
)
FALLING: Final = replace(
    LINEAR,
    id="tha-uninsured-2026",
    indicator="people_without_insurance",
    start_value=500_000,
    goal_value=100_000,
    goal_share_bp=None,
    population=None,
)
HEARD: Final = Gap(share_bp=420)
FORECAST: Final = Outlook(
    TODAY - timedelta(days=1),
    9_958,
    date(2029, 10, 3),
    date(2030, 1, 15),
    None,
)


def case(
    target: Target,
    level: int,
    *,
    week: int = 0,
    month: int = 0,
    on_due: int | None = None,
    outlook: Outlook | None = None,
    no_forecast: str | None = None,
    until: datetime | None = NOW - timedelta(seconds=3),
    is_due_complete: bool = True,
    gap: Gap = HEARD,
    is_filling: bool = False,
    was_lagging: bool = False,
    was_at_risk: bool = False,
    stored: Status | None = None,
    alerts: tuple[StoredAlert, ...] = (),
    today: date = TODAY,
) -> Case:
    """Build a target at an evening in November.

    `level` is what is counted, of a flow with its start; `week` and `month` are the
    effects in the windows; the others as in `Reading` and `Case`.
    """
    reading = Reading(level, on_due, week, month, is_filling, until, outlook)
    reading = replace(reading, silence=reason_of(gap), is_due_complete=is_due_complete)
    seen = assess(
        target,
        reading,
        was_lagging=was_lagging,
        was_at_risk=was_at_risk,
        today=today,
        now=NOW,
    )
    return Case(
        target=target,
        names=Names(target.indicator.replace("_", " "), "", "Thanh Hóa"),
        timezone=ZONE,
        reading=reading,
        was_lagging=was_lagging,
        was_at_risk=was_at_risk,
        seen=seen,
        limits=DEFAULT_LIMITS,
        gap=gap,
        silent_bp=DEFAULT_SHARE_BP,
        outlook=outlook,
        no_forecast=no_forecast,
        stored=seen.status if stored is None else stored,
        stored_since=NOW - timedelta(days=12),
        looked_at=NOW - timedelta(seconds=4),
        next_at=NOW + timedelta(seconds=6),
        alerts=alerts,
        today=today,
        now=NOW,
    )


_WAIT: Final = NOW - timedelta(days=13)
_RAISED: Final = NOW - timedelta(days=12)
_FIRING: Final = StoredAlert("TargetLagging", Firing(1, _WAIT, _RAISED), _RAISED)
_PENDING: Final = StoredAlert(
    "TargetAtRisk",
    Pending(2, _RAISED, timedelta(hours=3, minutes=10), NOW),
    _RAISED,
)
_KEPT: Final = StoredAlert(
    "TargetLagging",
    Kept(1, _WAIT, _WAIT, _RAISED, timedelta(minutes=30), NOW),
    _RAISED,
)
_RESOLVED: Final = StoredAlert(
    "TargetLagging", Resolved(1, _WAIT, _WAIT, _RAISED), _RAISED
)

CASES: Final[Mapping[str, Case]] = {
    "lagging_linear_percent": case(
        LINEAR,
        1_674_310,
        week=2_870,
        month=12_130,
        outlook=FORECAST,
        was_lagging=True,
        alerts=(_FIRING, _PENDING),
    ),
    "on_track_milestones": case(
        MILESTONES,
        171_000,
        week=1_750,
        month=6_900,
        outlook=Outlook(
            TODAY - timedelta(days=1),
            1_250,
            date(2026, 12, 12),
            date(2026, 12, 20),
            date(2027, 1, 3),
        ),
        stored=Status.LAGGING,
        alerts=(_KEPT,),
    ),
    "ahead_logistic": case(
        LOGISTIC,
        2_100_000,
        week=14_000,
        month=56_000,
        outlook=replace(FORECAST, miss_bp=None),
        no_forecast="short_history",
        alerts=(_RESOLVED,),
    ),
    "at_risk_flow": case(
        FLOW,
        4_400,
        week=400,
        month=1_500,
        outlook=replace(FORECAST, miss_bp=8_246),
        was_at_risk=True,
    ),
    "lagging_falling": case(
        FALLING, 300_000, week=-350, month=1_400, outlook=replace(FORECAST, day=TODAY)
    ),
    "unknown_platform": case(
        LINEAR, 1_674_310, week=2_870, month=12_130, until=NOW - timedelta(minutes=19)
    ),
    "unknown_silent": case(
        LINEAR, 1_674_310, week=2_870, month=12_130, gap=Gap(share_bp=620)
    ),
    "unknown_never_reported": case(
        LINEAR, 1_674_310, week=2_870, gap=Gap(is_required_unheard=True)
    ),
    "unknown_filling": case(LINEAR, 0, until=None, is_filling=True),
    "not_started": case(LINEAR, 854_000, today=date(2025, 12, 30)),
    "first_day": case(LINEAR, 854_000, today=date(2026, 1, 1)),
    "met": case(LINEAR, 2_200_000, week=7, month=28),
    "unknown_after_due": case(
        FLOW, 7_990, on_due=7_900, is_due_complete=False, today=date(2027, 1, 1)
    ),
    "missed_flow": case(FLOW, 7_990, on_due=7_900, today=date(2027, 1, 4)),
    "old_forecast": case(
        MILESTONES,
        171_000,
        week=1_750,
        month=6_900,
        outlook=replace(FORECAST, day=TODAY - timedelta(days=4)),
    ),
}


def said_of(name: str) -> str:
    """Explain a case, as it is printed."""
    return "\n".join(layout(explain(CASES[name]))) + "\n"


if __name__ == "__main__":
    for one in CASES:
        (FOLDER / f"explain_{one}.txt").write_text(said_of(one), encoding="utf-8")
