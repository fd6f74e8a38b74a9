"""What alerting is told from outside; each setting is one environment variable."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BeforeValidator,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from services.alerting.core.life_cycle import Policy
from services.alerting.core.risk import RiskLimits
from services.alerting.core.shipped_texts import SHIPPED
from services.alerting.core.status import FULL_BP
from services.alerting.core.templates import Texts
from services.alerting.texts_file import read_texts
from shared.settings import (
    CommonSettings,
    Directory,
    KafkaSettings,
    PostgresSettings,
    UptakeSettings,
)


def _split(value: object) -> object:
    """Read a list as it stands in an environment variable: by commas."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _check_texts(file: Path) -> Path:
    """Refuse a file of texts that could not be used, at the start and not at night."""
    try:
        read_texts(file)
    except ValueError as error:
        raise PydanticCustomError("texts", "{fault}", {"fault": str(error)}) from error
    return file


class RiskSettings(UptakeSettings):
    """From which chances of missing a target is at risk, and somebody told."""

    at_risk_enter: float = Field(
        default=0.5,
        ge=0.01,
        le=1,
        description="chance of missing from which a target is at risk",
    )
    at_risk_leave: float = Field(
        default=0.4,
        ge=0,
        le=1,
        description="chance of missing at which it no longer is",
    )
    at_risk_alert: float = Field(
        default=0.8,
        ge=0.01,
        le=1,
        description="chance of missing from which TargetAtRisk begins; it ends when "
        "the target is no longer at risk",
    )

    @model_validator(mode="after")
    def _risk_rises_from_leave_to_enter_to_alert(self) -> Self:
        if self.at_risk_leave > self.at_risk_enter:
            raise ValueError("UPTAKE_AT_RISK_LEAVE is above UPTAKE_AT_RISK_ENTER")
        if self.at_risk_enter > self.at_risk_alert:
            raise ValueError("UPTAKE_AT_RISK_ENTER is above UPTAKE_AT_RISK_ALERT")
        return self

    def risk_limits(self) -> RiskLimits:
        """Return between which chances of missing a target is at risk."""
        return RiskLimits(
            enter_bp=round(self.at_risk_enter * FULL_BP),
            leave_bp=round(self.at_risk_leave * FULL_BP),
            alert_bp=round(self.at_risk_alert * FULL_BP),
        )


class SilenceSettings(UptakeSettings):
    """How much silence makes a target unknown."""

    silent_share: float = Field(
        default=0.05,
        ge=0.0001,
        le=1,
        description="share of a target's last 28 reported days from which the silence "
        "of those who brought it makes the target unknown",
    )

    def silent_share_bp(self) -> int:
        """Return from which share of silent agencies on a target is unknown."""
        return round(self.silent_share * FULL_BP)


class ExplainSettings(RiskSettings, SilenceSettings, PostgresSettings):
    """Settings of `uptake targets explain`."""


class BacktestSettings(RiskSettings, PostgresSettings):
    """Settings of `uptake targets backtest`; the database is only read."""

    catalogue: Directory = Field(
        description="directory of the catalogue: indicators, localities, populations"
    )


class AlertingSettings(
    RiskSettings, SilenceSettings, CommonSettings, KafkaSettings, PostgresSettings
):
    """Settings of the alerting service."""

    http_port: int = Field(
        default=8082, ge=0, le=65535, description="port for probes and metrics"
    )
    ingest_url: AnyHttpUrl | None = Field(
        default=None,
        description="ingest as agencies find it, e.g. http://ingest:8080; while it is "
        "not ready nobody becomes silent; without it the log alone is listened to",
    )
    alertmanager_url: AnyHttpUrl | None = Field(
        default=None,
        description="Alertmanager to deliver to, e.g. http://alertmanager:9093; "
        "without it nothing is delivered there",
    )
    alertmanager_timeout_seconds: float = Field(
        default=10, gt=0, le=60, description="longest that one delivery may take"
    )
    alert_resend_seconds: float = Field(
        default=60,
        ge=1,
        le=600,
        description="how often Alertmanager is told again of a firing alert",
    )
    webhooks: Path | None = Field(
        default=None,
        description="file of webhooks that are told of alerts, see the service's "
        "README; without it none is",
    )
    webhooks_poll_seconds: float = Field(
        default=2.0,
        gt=0,
        le=60,
        description="how often that file, and the files it names, are looked at; "
        "changes are taken over without a restart",
    )
    webhook_timeout_seconds: float = Field(
        default=10, gt=0, le=60, description="longest that one webhook may take"
    )
    webhook_networks: Annotated[
        tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_split)
    ] = Field(
        default=(),
        description="network[,network...] that webhooks may lead to although they are "
        "not public, e.g. 10.20.0.0/16; public ones always",
    )
    webhook_keep_hours: int = Field(
        default=72,
        ge=1,
        le=24 * 30,
        description="how long a webhook that cannot be delivered is tried",
    )
    alert_evaluation_seconds: float = Field(
        default=10,
        ge=0.5,
        le=300,
        description="how often a target is judged when its total does not change",
    )
    control_for_seconds: float = Field(
        default=3600,
        ge=0,
        le=7 * 24 * 3600,
        description="how long an agency's own figure for a day that is over has to "
        "differ from what was counted before ControlMismatch fires; and how long all "
        "have to agree before it ends",
    )
    alert_texts: Annotated[Path, AfterValidator(_check_texts)] | None = Field(
        default=None,
        description="file with texts that take the place of the shipped ones; `uptake "
        "alerting texts` prints those",
    )
    alert_metrics_localities: Annotated[
        tuple[Literal["nation", "province", "commune"], ...],
        NoDecode,
        BeforeValidator(_split),
    ] = Field(
        default=("nation", "province"),
        description="localities whose targets are exported as metrics, by commas",
    )

    def control_policy(self) -> Policy:
        """Return how patient the alert about an agency's own figures is."""
        patience = timedelta(seconds=self.control_for_seconds)
        return Policy(wait=patience, keep=patience)

    def texts(self) -> Texts:
        """Return what alerts say."""
        return SHIPPED if self.alert_texts is None else read_texts(self.alert_texts)
