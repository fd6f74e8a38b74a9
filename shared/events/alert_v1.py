"""A message of `uptake.alerts`: one transition of an alert's life.

Structured CloudEvent. `id` is fingerprint/episode/state, so a message that is
delivered twice is recognised (DESIGN section 8).
"""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict


class AlertKind(StrEnum):
    """What an alert is about."""

    TARGET_LAGGING = "TargetLagging"
    TARGET_AT_RISK = "TargetAtRisk"
    TARGET_MISSED = "TargetMissed"
    TARGET_MET = "TargetMet"
    AGENCY_SILENT = "AgencySilent"
    CONTROL_MISMATCH = "ControlMismatch"


class AlertState(StrEnum):
    """Where an alert is in its life."""

    QUIET = "quiet"  # -> pending, firing
    PENDING = "pending"  # -> firing, quiet
    FIRING = "firing"  # -> kept, resolved
    KEPT = "kept"  # -> firing, resolved
    RESOLVED = "resolved"  # -> pending, firing (a new episode)


class AlertDataV1(BaseModel):
    """The transition, with the figures that explain it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: AlertKind
    state: AlertState
    severity: Literal["info", "warning", "critical"]
    episode: int
    fingerprint: str
    target: str
    """Empty where the alert is about an agency: the envelope's subject is it."""
    indicator: str
    locality: str
    status: str
    """Of the target; of an agency whether it is heard, silent or returning."""
    actual: int | None = None
    expected: int | None = None
    goal: int | None = None
    due: date | None = None
    position: str | None = None
    since: AwareDatetime
    summary_en: str = ""
    summary_vi: str = ""


class AlertV1(BaseModel):
    """The envelope."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    """The id of the target or agency."""
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: AlertDataV1
