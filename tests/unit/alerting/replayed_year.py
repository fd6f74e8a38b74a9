"""The scripted year, told to alerting's core midnight by midnight."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from services.alerting.core.backtest import (
    UNSEEN,
    Knowledge,
    Turn,
    Watch,
    course_of,
    watch,
)
from services.alerting.core.forecast import forecast_all, outlook_of
from services.alerting.core.risk import Outlook
from services.alerting.core.texts import Names
from shared.catalogue.model import Behind, LocalityKey, Target
from tests.support.scripted_year import (
    CODES,
    DUE,
    END,
    LENGTH,
    OUTAGES,
    START,
    START_VALUE,
    TIMEZONE,
    WAY,
    Province,
    date_of,
)
from tests.support.year_truth import Told

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one province.

    Attributes:
        turns: What was told, in order.
        miss_bp: Chance of missing by day; None where nothing was forecast.
    """

    turns: tuple[Turn, ...]
    miss_bp: Mapping[int, int | None]


def midnight(day: int) -> datetime:
    """Return the instant at which a day begins, by number."""
    return datetime.combine(date_of(day), time(), ZoneInfo(TIMEZONE))


def target_of(province: Province) -> Target:
    """Build a province's target."""
    return Target(
        id=province.target,
        indicator="cashless_accounts",
        locality=LocalityKey(province.code, date(2025, 7, 1)),
        start_date=START,
        start_value=START_VALUE,
        due=DUE,
        goal_value=START_VALUE + WAY,
        behind=Behind(),
        illustrative=True,
    )


def told(turn: Turn) -> Told:
    """Write a turn as the truth writes it; all of them are at midnight."""
    local = turn.at.astimezone(ZoneInfo(TIMEZONE))
    assert local.time() == time(), f"{turn} is not at midnight"
    day = (local.date() - START).days
    return Told(day, turn.target, turn.kind.value, turn.state.value, turn.episode)


def nights(
    province: Province, outages: Sequence[range] = OUTAGES
) -> Iterator[Knowledge]:
    """Tell what is known at the beginning of each day."""
    effects: dict[date, int] = defaultdict(int)
    level = on_due = START_VALUE
    reports = list(province.reports)
    for day in range(END):
        while reports and reports[0].logged_on < day:
            report = reports.pop(0)
            effects[date_of(report.day)] += report.count
            level += report.count
            on_due += report.count if report.day <= LENGTH else 0
        is_blind = any(day in outage for outage in outages)
        yield Knowledge(
            at=midnight(day),
            level=level,
            level_on_due=on_due,
            effects=dict(effects),
            first_day=min(effects, default=None),
            complete_until=midnight(day) - _HOUR if is_blind else None,
        )


@lru_cache(maxsize=2 * len(CODES))
def replay(
    province: Province,
    *,
    with_forecast: bool = False,
    outages: tuple[range, ...] = OUTAGES,
) -> Replayed:
    """Take a province through its year."""
    target = target_of(province)
    watching = Watch(target, Names("Accounts", "Tài khoản", province.code), TIMEZONE)
    turns: list[Turn] = []
    chances: dict[int, int | None] = {}
    left = UNSEEN
    outlook: Outlook | None = None
    for day, known in enumerate(nights(province, outages)):
        if with_forecast and day <= LENGTH:
            today = date_of(day)
            course = course_of(target, known, today)
            outlook = outlook_of(forecast_all([course])[0], today)
            chances[day] = outlook.miss_bp
        left, some = watch(watching, left, known, outlook, midnight(day + 1))
        turns += some
    return Replayed(tuple(turns), chances)
