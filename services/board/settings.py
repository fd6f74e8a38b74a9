"""Settings of the board."""

from pathlib import Path

from pydantic import Field

from shared.settings import DoorSettings, PostgresSettings


class BoardSettings(DoorSettings, PostgresSettings):
    """Everything that can be set; environment only."""

    http_port: int = Field(
        default=8083, ge=1, le=65535, description="port of the service"
    )
    readers: Path | None = Field(
        default=None,
        description="file of readers and their keys, see `uptake reader`; without it "
        "only agencies can read",
    )
    postgres_connections_max: int = Field(
        default=8, ge=1, le=100, description="connections to Postgres at most"
    )
    postgres_statement_timeout_seconds: float = Field(
        default=5,
        gt=0,
        le=3600,
        description="longest that one statement may run; who asks for more is told so",
    )
    body_bytes_max: int = Field(
        default=1024 * 1024,
        ge=1024,
        le=16 * 1024 * 1024,
        description="longest request body",
    )
    body_seconds_max: float = Field(
        default=10, gt=0, le=60, description="longest that a body may take to arrive"
    )
