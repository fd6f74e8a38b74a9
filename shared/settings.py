"""Settings that several services share; each is one environment variable.

Read only in `__main__`, validated at start, passed on as frozen objects.
"""

import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from shared.errors import SettingsError
from shared.postgres.dsn import check_dsn
from shared.secret_files import PREFIX as VARIABLE_PREFIX
from shared.secret_files import SecretFiles, secret_names
from shared.tls import client_context

PREFIX: Final = VARIABLE_PREFIX


def _require_directory(path: Path) -> Path:
    if not path.is_dir():
        message = f"no such directory: {path}"
        raise ValueError(message)
    return path


def _require_file(path: Path) -> Path:
    if not path.is_file():
        message = f"no such file: {path}"
        raise ValueError(message)
    return path


def _require_networks(value: str | None) -> str | None:
    """Refuse what would be left aside, and what would believe everybody."""
    for each in () if value is None else value.split(","):
        network = ip_network(each.strip())
        if not network.prefixlen:
            message = f"{each.strip()} is everybody; name your proxies"
            raise ValueError(message)
    return value


Directory = Annotated[Path, AfterValidator(_require_directory)]
File = Annotated[Path, AfterValidator(_require_file)]


class UptakeSettings(BaseSettings):
    """Environment only; a secret's value may instead lie in a file (ADR 0020)."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then the files that it names."""
        return init_settings, env_settings, SecretFiles(settings_cls)


class CommonSettings(UptakeSettings):
    """What every service needs."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="lowest level of log lines shown"
    )
    http_host: str = Field(
        default="127.0.0.1", description="address that the service listens on"
    )
    http_trusted_proxies: Annotated[str | None, AfterValidator(_require_networks)] = (
        Field(
            default=None,
            description="address[,address or network...] of proxies in front, whose "
            "X-Forwarded-For is believed; nobody's when not set",
        )
    )
    catalogue: Directory = Field(
        description="directory of the catalogue: indicators, localities, agencies"
    )


class DoorSettings(CommonSettings):
    """What services need that ask for keys."""

    agencies_poll_seconds: float = Field(
        default=2.0,
        gt=0,
        le=60,
        description="how often the files with keys are looked at; after it, and the "
        "time of reading, a new key is taken and a revoked one refused",
    )
    audit_lines_per_minute: int = Field(
        default=60,
        ge=1,
        le=100_000,
        description="log lines about refused attempts: so many for all without a valid "
        "key, and for each agency and reader; the others are counted",
    )


class KafkaSettings(UptakeSettings):
    """How to reach Kafka."""

    kafka_bootstrap_servers: str = Field(
        min_length=1, description="host:port[,host:port...] of the Kafka brokers"
    )
    kafka_security_protocol: Literal[
        "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"
    ] = Field(
        default="PLAINTEXT",
        description="SSL for TLS, SASL_SSL for TLS and SCRAM-SHA-512; SASL_PLAINTEXT "
        "only where something else encrypts the way",
    )
    kafka_username: str | None = Field(
        default=None, min_length=1, description="user for SCRAM-SHA-512"
    )
    kafka_password: SecretStr | None = Field(
        default=None, min_length=1, description="password for SCRAM-SHA-512"
    )
    kafka_ca_file: File | None = Field(
        default=None,
        description="PEM file of the authorities that sign the brokers' certificates; "
        "the system's when not set",
    )
    kafka_certificate_file: File | None = Field(
        default=None, description="PEM file of our certificate, for mutual TLS"
    )
    kafka_key_file: File | None = Field(
        default=None, description="PEM file of our certificate's private key"
    )
    kafka_key_password: SecretStr | None = Field(
        default=None, description="what the private key is encrypted with, if it is"
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

    @model_validator(mode="after")
    def _check_security(self) -> Self:
        """Refuse what would be left aside: a password that protects nothing."""
        uses_sasl = self.kafka_security_protocol.startswith("SASL_")
        uses_tls = self.kafka_security_protocol.endswith("SSL")
        _require_together(
            uses_sasl, self, ("kafka_username", "kafka_password"), all_of=True
        )
        _require_together(
            uses_tls,
            self,
            (
                "kafka_ca_file",
                "kafka_certificate_file",
                "kafka_key_file",
                "kafka_key_password",
            ),
            all_of=False,
        )
        if (self.kafka_certificate_file is None) != (self.kafka_key_file is None):
            message = f"{PREFIX}KAFKA_CERTIFICATE_FILE and {PREFIX}KAFKA_KEY_FILE: "
            message += "set both or neither"
            raise ValueError(message)
        if uses_tls:
            # What is wrong with the files is said at the start, not at the first use.
            client_context(
                ca_file=self.kafka_ca_file,
                certificate_file=self.kafka_certificate_file,
                key_file=self.kafka_key_file,
                key_password=self.kafka_key_password,
            )
        return self


def _require_together(
    is_used: bool,  # noqa: FBT001 -- of the protocol, which is named beside it
    settings: KafkaSettings,
    names: tuple[str, ...],
    *,
    all_of: bool,
) -> None:
    protocol = settings.kafka_security_protocol
    for name in names:
        is_set = getattr(settings, name) is not None
        if is_set and not is_used:
            message = f"{PREFIX}{name.upper()}: not used with protocol {protocol}; "
            message += f"unset it, or set {PREFIX}KAFKA_SECURITY_PROTOCOL"
            raise ValueError(message)
        if is_used and all_of and not is_set:
            message = f"{PREFIX}{name.upper()}: required with protocol {protocol}"
            raise ValueError(message)


class PostgresSettings(UptakeSettings):
    """How to reach Postgres."""

    postgres_dsn: Annotated[SecretStr, AfterValidator(check_dsn)] = Field(
        min_length=1,
        description="postgresql://user:password@host:port/database; with "
        "?sslmode=verify-full&sslrootcert=FILE the server must prove who it is",
    )
    postgres_statement_timeout_seconds: float = Field(
        default=60, gt=0, le=3600, description="longest that one statement may run"
    )


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load_settings(model: type[SettingsT], **given: Any) -> SettingsT:  # noqa: ANN401 -- fields of any type
    """Read a settings model from the environment.

    Args:
        model: What is read.
        given: Fields that are known already; they win.

    Raises:
        SettingsError: One line naming every variable that is missing or wrong.
    """
    try:
        return model(**given)
    except ValidationError as error:
        problems = "; ".join(
            _describe_problem(item["loc"], item["msg"])
            for item in error.errors(include_url=False)
        )
        raise SettingsError(f"bad settings: {problems}") from None


def _describe_problem(place: tuple[int | str, ...], message: str) -> str:
    """Name the variable; what is wrong with several says so itself."""
    if not place:
        return message.removeprefix("Value error, ")
    # In lower case at its beginning only; the rest may name values and paths.
    return f"{PREFIX}{str(place[0]).upper()}: {message[:1].lower()}{message[1:]}"


def describe_settings(model: type[BaseSettings]) -> str:
    """Render every setting of a model with its meaning and default, a line each."""
    lines = []
    secrets = secret_names(model)
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else f"default {field.default}"
        if default == "default None":
            default = "optional"
        variable = f"{PREFIX}{name.upper()}"
        lines.append(f"  {variable}\n      {field.description} ({default})")
        if name in secrets:
            lines.append(f"  {variable}_FILE\n      a file that holds it instead")
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
