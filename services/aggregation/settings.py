"""Settings of the aggregation service."""

from pydantic import Field

from shared.settings import CommonSettings, KafkaSettings, PostgresSettings


class AggregationSettings(CommonSettings, KafkaSettings, PostgresSettings):
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
