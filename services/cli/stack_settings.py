"""Settings of a stack on one machine, and the servers it uses."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from shared.errors import SettingsError
from shared.postgres.dsn import check_dsn
from shared.secret_files import PREFIX
from shared.settings import UptakeSettings

_SECURITY: Final = f"{PREFIX}KAFKA_SECURITY_PROTOCOL"


class StackSettings(UptakeSettings):
    """What `uptake up` and `uptake demo` read from the environment."""

    http_host: str = Field(
        default="127.0.0.1", description="address that the services listen on"
    )
    http_port: int = Field(
        default=8080, ge=1, le=65_532, description="first of four ports"
    )
    kafka_bootstrap_servers: str | None = Field(
        default=None, description="Kafka to use; embedded when neither is given"
    )
    postgres_dsn: Annotated[SecretStr, AfterValidator(check_dsn)] | None = Field(
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
            # The services would read it too, and ask the embedded broker for TLS.
            if os.environ.get(_SECURITY, "PLAINTEXT") != "PLAINTEXT":
                raise SettingsError(
                    f"bad settings: {_SECURITY} is set and no Kafka is named; unset "
                    "it, or name the servers to use"
                )
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
                # Where the address came from; the services take it from above.
                "UPTAKE_POSTGRES_DSN_FILE": "",
            },
            shown=f"{kafka}, {_address(dsn)}",
        )


def _address(dsn: str) -> str:
    parts = urlsplit(dsn)
    return f"{parts.hostname}:{parts.port or 5432}{parts.path}"
