"""What has to be told of the scripted year, worked out without any of the services.

Plain whole numbers, one midnight after the other. Whatever was logged in the course of
a day is known at its end, so alerts change their states at midnights alone: lagging
and risk wait a day to be raised and a day to be over.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.support.scripted_year import END, LENGTH, OUTAGES, WAY, Province

LAGGING, AT_RISK = "TargetLagging", "TargetAtRisk"
MISSED, MET = "TargetMissed", "TargetMet"
DAY_SECONDS = 86_400
LOOK_SECONDS = 10
"""The service looks so often, and a look that can judge pays for the time before it."""
HOLDS, CLEAR, UNKNOWN = "holds", "clear", "unknown"


class Told(NamedTuple):
    """One state that somebody has to be told of, at the beginning of a day."""

    day: int
    target: str
    kind: str
    state: str
    episode: int


class _Alert:
    """One alert of one target."""

    def __init__(self, target: str, kind: str, wait_seconds: int) -> None:
        self.told: list[Told] = []
        self._target = target
        self._kind = kind
        self._wait = wait_seconds
        self._state = "quiet"
        self._episode = 0
        self._earned = 0
        self._was_kept = False
        self._last = CLEAR

    def see(self, day: int, now: str, *, earned: int | None = None) -> None:
        """Take one look into account.

        Args:
            day: Its day.
            now: What is known of the condition.
            earned: Seconds that the look pays for, if it can judge; None: it is at
                midnight, and there were looks all day before it.
        """
        wanted = {"pending": HOLDS, "kept": CLEAR}.get(self._state)
        if earned is None:
            self._earned += (DAY_SECONDS - LOOK_SECONDS) * (self._last == wanted)
            earned = LOOK_SECONDS
        self._earned += earned * (now == wanted)
        self._last = now
        is_over = self._earned >= self._wait
        if self._state in {"quiet", "resolved"} and now == HOLDS:
            self._episode += 1
            self._was_kept = False
            self._earned = 0
            self._go(day, "pending" if self._wait else "firing")
        elif self._state == "pending" and now == HOLDS and is_over:
            self._go(day, "firing")
        elif self._state == "pending" and now == CLEAR:
            self._go(day, "quiet")
        elif self._state == "firing" and now == CLEAR:
            self._earned = 0
            self._go(day, "kept" if self._wait else "resolved")
        elif self._state == "kept" and now == HOLDS:
            self._state = "firing"
        elif self._state == "kept" and now == CLEAR and is_over:
            self._go(day, "resolved")

    def _go(self, day: int, state: str) -> None:
        self._state = state
        if state == "kept" and self._was_kept:
            return
        self._was_kept = self._was_kept or state == "kept"
        told = Told(day, self._target, self._kind, state, self._episode)
        self.told.append(told)


def expected_alerts(
    province: Province,
    miss_bp: Mapping[int, int | None] | None = None,
    *,
    outages: Sequence[range] = OUTAGES,
    is_hasty: bool = False,
) -> list[Told]:
    """Work out what has to be told of one province, in order.

    Args:
        province: Its year.
        miss_bp: Chance of missing by day, as forecast at its beginning; None on a day
            where nothing is forecast. Without it no target is ever at risk.
        outages: Days at whose beginning nothing could be judged.
        is_hasty: Whether lagging and risk have to last ten minutes and no day, and
            somebody looks at midnight, and five and ten minutes after it.
    """
    patience = 600 if is_hasty else DAY_SECONDS
    alerts = {
        LAGGING: _Alert(province.target, LAGGING, patience),
        AT_RISK: _Alert(province.target, AT_RISK, patience),
        MISSED: _Alert(province.target, MISSED, 0),
        MET: _Alert(province.target, MET, 0),
    }
    lags = risks = False
    status, since = "", 0
    for day in range(END):
        chance = None if miss_bp is None else miss_bp.get(day)
        before = status
        level = _progress(province, day)
        is_blind = any(day in outage for outage in outages)
        if level >= WAY or day > LENGTH:
            lags = risks = False
            status = "met" if level >= WAY else "missed"
        elif is_blind:
            status = "unknown"
        else:
            lags = _lags(province, day, level, was=lags)
            risks = chance is not None and (
                chance > 4_000 if risks else chance >= 5_000
            )
            status = "lagging" if lags else "at_risk" if risks else "fine"
        since = since if status == before else day
        grave = chance is not None and chance >= 8_000
        for kind, alert in alerts.items():
            now = _condition(kind, status, day, since, is_grave=grave)
            for earned in (300, 300, 300) if is_hasty else (None,):
                alert.see(day, now, earned=earned)
    return sorted(told for alert in alerts.values() for told in alert.told)


def _progress(province: Province, day: int) -> int:
    """Sum what is known at the beginning of a day; of days up to the due day."""
    return sum(
        each.count
        for each in province.reports
        if each.logged_on < day and each.day <= LENGTH
    )


def _lags(province: Province, day: int, level: int, *, was: bool) -> bool:
    if day < 7:
        return False
    slow = [not _suffices(province, day, level, days) for days in (7, 28)]
    if was:
        return level * 100 < 95 * 100 * day and any(slow)
    return level * 100 < 90 * 100 * day and all(slow)


def _suffices(province: Province, day: int, level: int, window: int) -> bool:
    """Tell whether the last days' pace would reach the goal on the due day."""
    days = min(window, day)
    came = sum(
        each.count
        for each in province.reports
        if each.logged_on < day and day - days <= each.day < day
    )
    return day < LENGTH and came * (LENGTH - day) >= (WAY - level) * days


def _condition(kind: str, status: str, day: int, since: int, *, is_grave: bool) -> str:
    if status == "unknown":
        return UNKNOWN
    if kind == AT_RISK:
        if status == "lagging" or (status == "at_risk" and not is_grave):
            return UNKNOWN
        return HOLDS if status == "at_risk" else CLEAR
    holds = {
        LAGGING: status == "lagging",
        MISSED: status == "missed" and day <= LENGTH + 30,
        MET: status == "met" and day < since + 7,
    }[kind]
    return HOLDS if holds else CLEAR
