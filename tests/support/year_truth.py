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
    """One state that somebody has to be told of, minutes after a day's beginning.

    `target` is what the alert is about: the id of a target or of an agency.
    """

    day: int
    target: str
    kind: str
    state: str
    episode: int
    minute: int = 0


class AlertTruth:
    """One alert of one target or agency."""

    def __init__(
        self, target: str, kind: str, wait_seconds: int, keep_seconds: int | None = None
    ) -> None:
        """Begin quietly.

        Args:
            target: What it is about.
            kind: What it says.
            wait_seconds: How long what it says has to last before it is raised.
            keep_seconds: How long that has to be over; None: as long.
        """
        self.told: list[Told] = []
        self.state = "quiet"
        self._target = target
        self._kind = kind
        self._wait = wait_seconds
        self._keep = wait_seconds if keep_seconds is None else keep_seconds
        self._episode = 0
        self._earned = 0
        self._was_kept = False
        self._last = CLEAR

    def see(
        self, day: int, now: str, *, earned: int | None = None, minute: int = 0
    ) -> None:
        """Take one look into account.

        Args:
            day: Its day.
            now: What is known of the condition.
            earned: Seconds that the look pays for, if it can judge; None: it is at
                midnight, and there were looks all day before it.
            minute: Of the day.
        """
        wanted = {"pending": HOLDS, "kept": CLEAR}.get(self.state)
        if earned is None:
            self._earned += (DAY_SECONDS - LOOK_SECONDS) * (self._last == wanted)
            earned = LOOK_SECONDS
        self._earned += earned * (now == wanted)
        self._last = now
        waited = self._earned >= self._wait
        was_cleared = self._earned >= self._keep
        if self.state in {"quiet", "resolved"} and now == HOLDS:
            self._episode += 1
            self._was_kept = False
            self._earned = 0
            self._go(day, minute, "pending" if self._wait else "firing")
        elif self.state == "pending" and now == HOLDS and waited:
            self._go(day, minute, "firing")
        elif self.state == "pending" and now == CLEAR:
            self._go(day, minute, "quiet")
        elif self.state == "firing" and now == CLEAR:
            self._earned = 0
            self._go(day, minute, "kept" if self._keep else "resolved")
        elif self.state == "kept" and now == HOLDS:
            self.state = "firing"
        elif self.state == "kept" and now == CLEAR and was_cleared:
            self._go(day, minute, "resolved")

    def _go(self, day: int, minute: int, state: str) -> None:
        self.state = state
        if state == "kept" and self._was_kept:
            return
        self._was_kept = self._was_kept or state == "kept"
        told = Told(day, self._target, self._kind, state, self._episode, minute)
        self.told.append(told)


class TargetTruth:
    """One province's target, judged look after look.

    Attributes:
        status: As the last look found it; whatever is no cause for an alert is fine.
        alerts: Those about it, by kind.
    """

    def __init__(self, province: Province, patience_seconds: int) -> None:
        """Begin before the first look.

        Args:
            province: Whose target.
            patience_seconds: How long lag and risk have to last, and to be over.
        """
        target = province.target
        self.status = ""
        self.alerts = {
            LAGGING: AlertTruth(target, LAGGING, patience_seconds),
            AT_RISK: AlertTruth(target, AT_RISK, patience_seconds),
            MISSED: AlertTruth(target, MISSED, 0),
            MET: AlertTruth(target, MET, 0),
        }
        self._province = province
        self._lags = self._risks = False
        self._since = 0
        self._known = _Known(day=-1, level=0, is_slow=())

    def look(
        self,
        day: int,
        *,
        is_blind: bool,
        chance: int | None,
        earned: int | None = None,
        minute: int = 0,
    ) -> None:
        """Take one look.

        Args:
            day: Its day.
            is_blind: Whether nothing can be judged.
            chance: Of missing, as forecast; None without a forecast.
            earned: As in `AlertTruth.see`.
            minute: Of the day.
        """
        before = self.status
        self.status = self._judge(day, is_blind=is_blind, chance=chance)
        if self.status != before:
            self._since = day
        grave = chance is not None and chance >= 8_000
        for kind, alert in self.alerts.items():
            now = _condition(kind, self.status, day, self._since, is_grave=grave)
            alert.see(day, now, earned=earned, minute=minute)

    @property
    def told(self) -> list[Told]:
        """What had to be told of it."""
        return [told for alert in self.alerts.values() for told in alert.told]

    def _judge(self, day: int, *, is_blind: bool, chance: int | None) -> str:
        if self._known.day != day:
            self._known = _known(self._province, day)
        level = self._known.level
        if level >= WAY or day > LENGTH:
            self._lags = self._risks = False
            return "met" if level >= WAY else "missed"
        if is_blind:
            return UNKNOWN
        self._lags = _lags(self._known, was=self._lags)
        limit = 4_001 if self._risks else 5_000
        self._risks = chance is not None and chance >= limit
        if self._lags:
            return "lagging"
        return "at_risk" if self._risks else "fine"


def expected_alerts(
    province: Province,
    miss_bp: Mapping[int, int | None] | None = None,
    *,
    outages: Sequence[range] = OUTAGES,
) -> list[Told]:
    """Work out what has to be told of one province, in order.

    Args:
        province: Its year.
        miss_bp: Chance of missing by day, as forecast at its beginning; None on a day
            where nothing is forecast. Without it no target is ever at risk.
        outages: Days at whose beginning nothing could be judged.
    """
    target = TargetTruth(province, DAY_SECONDS)
    for day in range(END):
        chance = None if miss_bp is None else miss_bp.get(day)
        is_blind = any(day in outage for outage in outages)
        target.look(day, is_blind=is_blind, chance=chance)
    return sorted(target.told)


class _Known(NamedTuple):
    """What is known at the beginning of a day.

    Attributes:
        day: The day.
        level: What came so far, of days up to the due day.
        is_slow: Whether the last 7 and 28 days' pace would not reach the goal.
    """

    day: int
    level: int
    is_slow: tuple[bool, ...]


def _known(province: Province, day: int) -> _Known:
    level = sum(
        each.count
        for each in province.reports
        if each.logged_on < day and each.day <= LENGTH
    )
    slow = tuple(not _suffices(province, day, level, days) for days in (7, 28))
    return _Known(day, level, slow)


def _lags(known: _Known, *, was: bool) -> bool:
    day, level, slow = known
    if day < 7:
        return False
    if was:
        return level * 100 < 95 * 100 * day and any(slow)
    return level * 100 < 90 * 100 * day and all(slow)


def _suffices(province: Province, day: int, level: int, window: int) -> bool:
    """Tell whether the last days' pace would reach the goal on the due day."""
    days = min(window, day)
    if not days:
        return True
    came = sum(
        each.count
        for each in province.reports
        if each.logged_on < day and day - days <= each.day < day
    )
    return day < LENGTH and came * (LENGTH - day) >= (WAY - level) * days


def _condition(kind: str, status: str, day: int, since: int, *, is_grave: bool) -> str:
    if status == UNKNOWN:
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
