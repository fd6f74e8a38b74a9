"""Settings of the ingest service."""

from pydantic import Field

from shared.settings import DoorSettings, KafkaSettings


class IngestSettings(DoorSettings, KafkaSettings):
    """Everything that can be set; environment only."""

    http_port: int = Field(
        default=8080, ge=1, le=65535, description="port of the service"
    )
    body_bytes_max: int = Field(
        default=4 * 1024 * 1024,
        ge=1024,
        le=64 * 1024 * 1024,
        description="longest body of a batch, unpacked",
    )
    event_bytes_max: int = Field(
        default=64 * 1024,
        ge=1024,
        le=1024 * 1024,
        description="longest event: alone, in a batch, or as a line of a stream",
    )
    event_nesting_max: int = Field(
        default=16,
        ge=2,
        le=100,
        description="most arrays and objects inside one another in an event",
    )
    batch_events_max: int = Field(
        default=10_000, ge=1, le=100_000, description="most events in one batch"
    )
    unpacked_ratio_max: int = Field(
        default=200,
        ge=10,
        le=1000,
        description="how many times its size a gzip or zstd body may unpack to",
    )
    body_seconds_max: float = Field(
        default=60, gt=0, le=3600, description="longest time for a body, but a stream"
    )
    body_pause_seconds_max: float = Field(
        default=10, gt=0, le=600, description="longest time without a byte of a body"
    )
    held_bytes_max: int = Field(
        default=64 * 1024 * 1024,
        ge=1024 * 1024,
        description="most bytes that open requests hold together; beyond it 503",
    )
    streams_max: int = Field(
        default=8, ge=1, le=100, description="most streams at a time; beyond it 503"
    )
    stream_seconds_max: float = Field(
        default=3600, gt=0, le=86_400, description="longest time for a stream"
    )
    stream_refusals_max: int = Field(
        default=100,
        ge=0,
        le=10_000,
        description="how many refused lines of a stream are told one by one; "
        "all are counted",
    )
    ack_timeout_seconds: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="longest wait for Kafka's confirmation before 503",
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
