"""One look at one duty of an agency: its voice, its alert, and what is said of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from services.alerting.core.life_cycle import Life, State, retire, step
from services.alerting.core.silence import (
    Clock,
    Hearing,
    condition_of_silence,
    hear,
    next_reading,
    policy_of_silence,
)
from services.alerting.core.texts import Summary

_HOUR: Final = timedelta(hours=1)


class AgencyKind(StrEnum):
    """What an alert about an agency says."""

    SILENT = "AgencySilent"
    MISMATCH = "ControlMismatch"


AGENCY_SEVERITIES: Final[Mapping[AgencyKind, str]] = MappingProxyType(
    {AgencyKind.SILENT: "warning", AgencyKind.MISMATCH: "warning"}
)
AGENCY_RUNBOOKS: Final[Mapping[AgencyKind, str]] = MappingProxyType(
    {
        AgencyKind.SILENT: "docs/runbooks/agency-silent.md",
        AgencyKind.MISMATCH: "docs/runbooks/control-mismatch.md",
    }
)


@dataclass(frozen=True, slots=True)
class Duty:
    """What an agency owes of one indicator.

    Attributes:
        agency: The agency's id.
        agency_name: For people.
        indicator: The indicator's id.
        indicator_name: In English.
        indicator_name_vi: In Vietnamese.
        locality: Code of the top of what the agency reports for.
        timezone: In which its texts say when.
        cadence: Longest time between two reports; None: any.
        expected_at: Since when reports are expected.
        is_removed: The catalogue has it no more; its alert ends.
    """

    agency: str
    agency_name: str
    indicator: str
    indicator_name: str
    indicator_name_vi: str
    locality: str
    timezone: str
    cadence: timedelta | None
    expected_at: datetime
    is_removed: bool


@dataclass(frozen=True, slots=True)
class AgencyAlert:
    """An alert about an agency and an indicator after a look.

    Attributes:
        kind: What it says.
        duty: About whom, and of what.
        status: How it stands with the agency now, in a word.
        life: Where the alert is.
        notice: The state to tell on `uptake.alerts`, if any.
        summary: Its text now.
    """

    kind: AgencyKind
    duty: Duty
    status: str
    life: Life
    notice: State | None
    summary: Summary

    @property
    def fingerprint(self) -> str:
        """Return its name for ever."""
        return agency_fingerprint(self.kind, self.duty.agency, self.duty.indicator)


@dataclass(frozen=True, slots=True)
class DutyLook:
    """A duty after a look.

    Attributes:
        duty: The duty.
        hearing: What is remembered of it now.
        next_reading: Reading of the listening clock that it can wait for, if it
            waits for one.
        is_turned: Whether its voice, or whether it ever reported, is another than
            before, so that targets have to be judged anew.
        life: Where its alert is.
        has_alert: Whether that is worth keeping.
        notice: The state to tell on `uptake.alerts`, if any.
        summary: The alert's text now.
    """

    duty: Duty
    hearing: Hearing
    next_reading: timedelta | None
    is_turned: bool
    life: Life
    has_alert: bool
    notice: State | None
    summary: Summary

    @property
    def alert(self) -> AgencyAlert | None:
        """Return the alert about it, if there is one worth keeping."""
        if not self.has_alert:
            return None
        return AgencyAlert(
            AgencyKind.SILENT,
            self.duty,
            self.hearing.voice.value,
            self.life,
            self.notice,
            self.summary,
        )


def agency_fingerprint(kind: AgencyKind, agency: str, indicator: str) -> str:
    """Name an alert for ever: 32 hexadecimal digits of kind, agency and indicator."""
    text = json.dumps([kind.value, agency, indicator], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def look_at(
    duty: Duty,
    hearing: Hearing,
    life: Life,
    reported_at: datetime | None,
    clock: Clock,
    *,
    behind: bool,
    now: datetime,
) -> DutyLook:
    """Take an agency's silence, and the alert about it, one look further.

    Args:
        duty: What it owes.
        hearing: What the look before left.
        life: Of its alert.
        reported_at: Log time of its last report; None before any.
        clock: The listening clock, now.
        behind: Whether it is we who do not hear.
        now: By the database's clock.
    """
    after = hearing
    if not (behind or duty.is_removed):
        after = hear(hearing, reported_at, duty.cadence, clock, now)
    if duty.is_removed:
        told = retire(life, now)
    else:
        condition = condition_of_silence(after.voice, behind=behind)
        told = step(life, condition, policy_of_silence(duty.cadence), now)
    is_first = hearing.heard_at is None and after.heard_at is not None
    return DutyLook(
        duty=duty,
        hearing=after,
        next_reading=next_reading(after, duty.cadence),
        is_turned=is_first or after.voice is not hearing.voice,
        life=told.life,
        has_alert=told.life.episode > 0,
        notice=told.notice,
        summary=_say(duty, after, reported_at),
    )


def _say(duty: Duty, hearing: Hearing, reported_at: datetime | None) -> Summary:
    """Say what is known; only what stays true until the next look.

    Dates are said and not durations: nobody looks again while a silence lasts.
    """
    name, code = duty.agency_name, duty.agency
    what, what_vi = duty.indicator_name, duty.indicator_name_vi
    heard_at = hearing.heard_at or reported_at
    if duty.is_removed:
        return Summary(
            f"{name} ({code}) is no longer expected to report: {what}.",
            f"{name} ({code}) không còn phải báo cáo: {what_vi}.",
        )
    if heard_at is None:
        since = _instant(duty.expected_at, duty)
        english = f"{name} ({code}) has never reported: {what}. Expected since {since}"
        vietnamese = f"{name} ({code}) chưa từng báo cáo: {what_vi}. Chờ từ {since}"
    else:
        last = _instant(heard_at, duty)
        english = f"{name} ({code}) last reported on {last}: {what}"
        vietnamese = f"{name} ({code}) báo cáo lần cuối lúc {last}: {what_vi}"
    if duty.cadence is not None:
        hours = duty.cadence // _HOUR
        english += f"; due every {hours} h"
        vietnamese += f"; phải báo cáo mỗi {hours} giờ"
    return Summary(f"{english}.", f"{vietnamese}.")


def _instant(at: datetime, duty: Duty) -> str:
    return f"{at.astimezone(ZoneInfo(duty.timezone)):%Y-%m-%d %H:%M}"
