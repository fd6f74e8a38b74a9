"""Settings that several services share; each is one environment variable.

Read only in `__main__`, validated at start, passed on as frozen objects.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import SettingsError

PREFIX = "UPTAKE_"


def _require_directory(path: Path) -> Path:
    if not path.is_dir():
        message = f"no such directory: {path}"
        raise ValueError(message)
    return path


class CommonSettings(BaseSettings):
    """What every service needs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="lowest level of log lines shown"
    )
    http_host: str = Field(
        default="127.0.0.1", description="address that the service listens on"
    )
    catalogue: Annotated[Path, AfterValidator(_require_directory)] = Field(
        description="directory of the catalogue: indicators, localities, agencies"
    )


class KafkaSettings(BaseSettings):
    """How to reach Kafka."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    kafka_bootstrap_servers: str = Field(
        min_length=1, description="host:port[,host:port...] of the Kafka brokers"
    )
    kafka_idempotence: bool = Field(
        default=True,
        description="idempotent producer; off only for the embedded broker",
    )
    kafka_fetch_wait_ms: int = Field(
        default=250,
        ge=1,
        le=5000,
        description="how long the broker may hold a fetch that finds nothing; low "
        "only for the embedded broker, which a new record does not wake",
    )
    kafka_replication: int = Field(
        default=3,
        ge=1,
        le=9,
        description="replicas of each topic; min.insync.replicas is one less, "
        "at least 1; services refuse topics that have fewer",
    )
    kafka_partitions: int = Field(
        default=12,
        ge=1,
        le=256,
        description="partitions of uptake.events, fixed when the topic is created",
    )


class PostgresSettings(BaseSettings):
    """How to reach Postgres."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    postgres_dsn: SecretStr = Field(
        min_length=1,
        description="postgresql://user:password@host:port/database",
    )
    postgres_statement_timeout_seconds: float = Field(
        default=60, gt=0, le=3600, description="longest that one statement may run"
    )


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load_settings(model: type[SettingsT]) -> SettingsT:
    """Read a settings model from the environment.

    Raises:
        SettingsError: One line naming every variable that is missing or wrong.
    """
    try:
        return model()
    except ValidationError as error:
        problems = "; ".join(
            f"{PREFIX}{str(item['loc'][0]).upper()}: {_lower_first(item['msg'])}"
            for item in error.errors(include_url=False)
        )
        raise SettingsError(f"bad settings: {problems}") from error


def _lower_first(message: str) -> str:
    """Begin in lower case; the rest may name values and paths."""
    return message[:1].lower() + message[1:]


def describe_settings(model: type[BaseSettings]) -> str:
    """Render every setting of a model with its meaning and default, a line each."""
    lines = []
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else f"default {field.default}"
        lines.append(f"  {PREFIX}{name.upper()}\n      {field.description} ({default})")
    return "\n".join(lines)


def settings_from_command_line(model: type[SettingsT], about: str) -> SettingsT:
    """Serve `--help` and `--validate`, else return the settings.

    Ends the process: 0 after `--help` or a valid `--validate`, 2 when a setting is
    wrong or an argument is unknown.
    """
    arguments = sys.argv[1:]
    if "--help" in arguments:
        sys.stdout.write(f"{about}\n\nsettings (environment only):\n")
        sys.stdout.write(describe_settings(model) + "\n")
        raise SystemExit(0)
    unknown = [word for word in arguments if word != "--validate"]
    if unknown:
        sys.stderr.write(f"unknown argument {unknown[0]!r}; see --help\n")
        raise SystemExit(2)
    try:
        settings = load_settings(model)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None
    if "--validate" in arguments:
        sys.stdout.write("settings are valid\n")
        raise SystemExit(0)
    return settings
