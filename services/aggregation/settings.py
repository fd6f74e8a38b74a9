"""Settings of the aggregation service."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.settings import PREFIX, CommonSettings, KafkaSettings, PostgresSettings


class LedgerSettings(BaseSettings):
    """How long the ledger is kept; service and rebuild must agree."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    ledger_days: int = Field(
        default=400,
        ge=2,
        le=36_500,
        description="days for which the ledger remembers each event; at least one more "
        "than the catalogue's window_days. Totals and statements stay for ever",
    )


class AggregationSettings(
    CommonSettings, KafkaSettings, PostgresSettings, LedgerSettings
):
    """Everything that can be set; environment only."""

    http_port: int = Field(
        default=8081, ge=1, le=65535, description="port of the service"
    )
    batch_records_max: int = Field(
        default=10_000,
        ge=1,
        le=100_000,
        description="most records applied in one transaction",
    )
    unreadable_records_max: int = Field(
        default=100,
        ge=0,
        le=100_000,
        description="most unreadable records that are rejected among "
        "UPTAKE_UNREADABLE_WINDOW_RECORDS consecutive ones of a partition; one more "
        "stops the service, because ingest admitted them",
    )
    unreadable_window_records: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="how many consecutive records UPTAKE_UNREADABLE_RECORDS_MAX is "
        "about",
    )
    publish_interval_seconds: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="how often changed totals are published, one message per key",
    )
    metrics_interval_seconds: float = Field(
        default=60,
        gt=0,
        le=3600,
        description="how often levels are read for the metrics",
    )
    retention_interval_seconds: float = Field(
        default=600,
        gt=0,
        le=86_400,
        description="how often rows older than UPTAKE_LEDGER_DAYS are looked for",
    )
    carry_interval_seconds: float = Field(
        default=30,
        gt=0,
        le=3600,
        description="how often it is seen whether a day has settled whose levels can "
        "be carried forward",
    )


class VerbSettings(KafkaSettings, PostgresSettings):
    """What a verb needs: log and ledger, neither catalogue nor port."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="lowest level of log lines shown"
    )


class RebuildSettings(VerbSettings, LedgerSettings):
    """What a rebuild needs."""

    batch_records_max: int = Field(
        default=10_000,
        ge=1,
        le=100_000,
        description="most records applied in one transaction",
    )
