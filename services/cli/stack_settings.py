"""Settings of a stack on one machine, and the servers it uses."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import SettingsError
from shared.settings import PREFIX


class StackSettings(BaseSettings):
    """What `uptake up` and `uptake demo` read from the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    http_host: str = Field(
        default="127.0.0.1", description="address that the services listen on"
    )
    http_port: int = Field(
        default=8080, ge=1, le=65_532, description="first of four ports"
    )
    kafka_bootstrap_servers: str | None = Field(
        default=None, description="Kafka to use; embedded when neither is given"
    )
    postgres_dsn: SecretStr | None = Field(
        default=None, description="Postgres to use; embedded when neither is given"
    )
    kafka_idempotence: bool = Field(
        default=True, description="idempotent producer, where Kafka is given"
    )
    kafka_replication: int = Field(
        default=3, ge=1, le=9, description="replicas of each topic of a given Kafka"
    )
    kafka_partitions: int = Field(
        default=12, ge=1, le=256, description="partitions of uptake.events"
    )
    catalogue: Path | None = Field(
        default=None, description="directory of the catalogue; Vietnam's when not given"
    )


@dataclass(frozen=True, slots=True)
class GivenServers:
    """A Kafka and a Postgres.

    Attributes:
        environment: The settings with which services reach them; holds a password.
        shown: Their addresses for people, without password.
    """

    environment: dict[str, str] = field(repr=False)
    shown: str

    @classmethod
    def embedded(cls, bootstrap_servers: str, dsn: str) -> "GivenServers":
        """Describe servers that this process started.

        The embedded broker has no idempotent producer, and there is one of it.
        """
        return cls(
            environment={
                "UPTAKE_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
                "UPTAKE_KAFKA_IDEMPOTENCE": "false",
                # A new record does not wake a fetch that waits there.
                "UPTAKE_KAFKA_FETCH_WAIT_MS": "20",
                "UPTAKE_KAFKA_REPLICATION": "1",
                "UPTAKE_POSTGRES_DSN": dsn,
            },
            shown=f"{bootstrap_servers}, {_address(dsn)}",
        )

    @classmethod
    def from_settings(cls, settings: StackSettings) -> "GivenServers | None":
        """Take both servers from the environment; None when neither is given.

        Raises:
            SettingsError: One is given without the other.
        """
        kafka, postgres = settings.kafka_bootstrap_servers, settings.postgres_dsn
        if kafka is None and postgres is None:
            return None
        if kafka is None or postgres is None:
            missing = "POSTGRES_DSN" if postgres is None else "KAFKA_BOOTSTRAP_SERVERS"
            raise SettingsError(
                f"bad settings: {PREFIX}{missing} is missing: give both Kafka and "
                "Postgres, or neither to have both embedded; an embedded log does "
                "not outlive the command, so the other must not either"
            )
        dsn = postgres.get_secret_value()
        return cls(
            environment={
                "UPTAKE_KAFKA_BOOTSTRAP_SERVERS": kafka,
                "UPTAKE_KAFKA_IDEMPOTENCE": str(settings.kafka_idempotence).lower(),
                "UPTAKE_KAFKA_REPLICATION": str(settings.kafka_replication),
                "UPTAKE_POSTGRES_DSN": dsn,
            },
            shown=f"{kafka}, {_address(dsn)}",
        )


def _address(dsn: str) -> str:
    parts = urlsplit(dsn)
    return f"{parts.hostname}:{parts.port or 5432}{parts.path}"
