"""One look at one duty of an agency: its voice, its alert, and what is said of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from services.alerting.core.agency_figures import AgencySubject
from services.alerting.core.alerts import Kind
from services.alerting.core.life_cycle import Life, State, retire, step
from services.alerting.core.shipped_texts import SHIPPED
from services.alerting.core.silence import (
    Clock,
    Hearing,
    Voice,
    condition_of_silence,
    hear,
    next_reading,
    policy_of_silence,
)
from services.alerting.core.templates import TextName, Texts
from services.alerting.core.texts import Summary, summarize_agency


class AgencyKind(StrEnum):
    """What an alert about an agency says."""

    SILENT = "AgencySilent"


AnyKind = Kind | AgencyKind
ALL_KINDS: Final[frozenset[AnyKind]] = frozenset({*Kind, *AgencyKind})

AGENCY_SEVERITIES: Final[Mapping[AgencyKind, str]] = MappingProxyType(
    {AgencyKind.SILENT: "warning"}
)
AGENCY_RUNBOOKS: Final[Mapping[AgencyKind, str]] = MappingProxyType(
    {AgencyKind.SILENT: "docs/runbooks/agency-silent.md"}
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
        province: Code of the province that this is in; empty for the nation's.
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
    province: str
    timezone: str
    cadence: timedelta | None
    expected_at: datetime
    is_removed: bool


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
    texts: Texts = SHIPPED,
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
        texts: What alerts say.
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
        summary=_say(duty, after, reported_at, texts),
    )


def _say(
    duty: Duty, hearing: Hearing, reported_at: datetime | None, texts: Texts
) -> Summary:
    name = TextName.AGENCY_OVER
    if duty.is_removed:
        name = TextName.AGENCY_REMOVED
    elif hearing.voice is Voice.SILENT:
        name = TextName.AGENCY_SILENT
    subject = AgencySubject(
        agency=duty.agency,
        agency_name=duty.agency_name,
        indicator_name=duty.indicator_name,
        indicator_name_vi=duty.indicator_name_vi,
        timezone=duty.timezone,
        heard_at=hearing.heard_at or reported_at,
        expected_at=duty.expected_at,
        cadence=duty.cadence,
    )
    return summarize_agency(name, subject, texts)
