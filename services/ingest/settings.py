"""Settings of the ingest service."""

from pydantic import Field

from shared.settings import CommonSettings, KafkaSettings


class IngestSettings(CommonSettings, KafkaSettings):
    """Everything that can be set; environment only."""

    http_port: int = Field(
        default=8080, ge=1, le=65535, description="port of the service"
    )
    body_bytes_max: int = Field(
        default=4 * 1024 * 1024,
        ge=1024,
        le=64 * 1024 * 1024,
        description="longest request body",
    )
    batch_events_max: int = Field(
        default=10_000, ge=1, le=100_000, description="most events in one request"
    )
    ack_timeout_seconds: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="longest wait for Kafka's confirmation before 503",
    )
