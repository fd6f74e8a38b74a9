"""What alerting is told from outside; each setting is one environment variable."""

from typing import Annotated, Literal

from pydantic import AnyHttpUrl, BeforeValidator, Field
from pydantic_settings import NoDecode

from shared.settings import CommonSettings, KafkaSettings, PostgresSettings


def _split(value: object) -> object:
    """Read a list as it stands in an environment variable: by commas."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


class AlertingSettings(CommonSettings, KafkaSettings, PostgresSettings):
    """Settings of the alerting service."""

    http_port: int = Field(
        default=8082, ge=0, le=65535, description="port for probes and metrics"
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
    alert_evaluation_seconds: float = Field(
        default=10,
        ge=0.5,
        le=300,
        description="how often a target is judged when its total does not change",
    )
    alert_metrics_localities: Annotated[
        tuple[Literal["nation", "province", "commune"], ...],
        NoDecode,
        BeforeValidator(_split),
    ] = Field(
        default=("nation", "province"),
        description="localities whose targets are exported as metrics, by commas",
    )
