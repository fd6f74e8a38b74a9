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
    agencies_poll_seconds: float = Field(
        default=2.0,
        gt=0,
        le=60,
        description="how often the agencies' files are looked at; after it, and the "
        "time of reading, a new key is taken and a revoked one refused",
    )
    agency_events_per_second: float = Field(
        default=20_000,
        gt=0,
        le=1_000_000,
        description="events a second that an agency may send to this process in the "
        "long run, unless its file says otherwise",
    )
    agency_burst_events: int = Field(
        default=200_000,
        ge=1,
        le=100_000_000,
        description="events that an agency may send at once after a while of silence, "
        "unless its file says otherwise; also the longest batch",
    )
    audit_lines_per_minute: int = Field(
        default=60,
        ge=1,
        le=100_000,
        description="log lines about refused attempts: so many for all without a valid "
        "key, and for each agency; the others are counted",
    )
