"""TLS, users and secrets: what is wrong is said at the start, without the secret."""

from pathlib import Path

import pytest

from services.cli.stack_settings import GivenServers, StackSettings
from shared.errors import SettingsError
from shared.kafka.connection import connection
from shared.settings import (
    KafkaSettings,
    PostgresSettings,
    describe_settings,
    load_settings,
)
from tests.support.certificates import KEY_PASSWORD, Authority, Identity

HIDDEN = "hunter2"
SCRAM = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_USERNAME": "ingest"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make an authority."""
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module")
def identity(authority: Authority) -> Identity:
    """Make a client's certificate."""
    return authority.issue(common_name="ingest")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Name a Kafka and nothing more."""
    monkeypatch.setenv("UPTAKE_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
    return monkeypatch


def given(environment: pytest.MonkeyPatch, **values: object) -> KafkaSettings:
    """Load Kafka's settings from these variables."""
    for name, value in values.items():
        environment.setenv(f"UPTAKE_{name}", str(value))
    return load_settings(KafkaSettings)


def problem(environment: pytest.MonkeyPatch, **values: object) -> str:
    """Load wrong settings and return what is said: one line, without a secret."""
    with pytest.raises(SettingsError) as caught:
        given(environment, **values)
    said = str(caught.value)
    assert "\n" not in said
    assert HIDDEN not in said
    assert KEY_PASSWORD not in said
    return said


def test_password_is_read_from_a_file(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The line break that an editor put at its end is none of it."""
    file = tmp_path / "password"
    file.write_text(f" {HIDDEN} \n")
    settings = given(environment, **SCRAM, KAFKA_PASSWORD_FILE=file)
    assert settings.kafka_password is not None
    assert settings.kafka_password.get_secret_value() == f" {HIDDEN} "
    assert connection(settings)["sasl_plain_password"] == f" {HIDDEN} "
    assert HIDDEN not in repr(settings)


def test_address_of_postgres_is_read_from_a_file(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It holds a password, so it is a secret."""
    file = tmp_path / "dsn"
    file.write_text(f"postgresql://uptake:{HIDDEN}@db:5432/uptake\n")
    environment.setenv("UPTAKE_POSTGRES_DSN_FILE", str(file))
    dsn = load_settings(PostgresSettings).postgres_dsn.get_secret_value()
    assert dsn == f"postgresql://uptake:{HIDDEN}@db:5432/uptake"


def test_only_secrets_have_files(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Others would make two ways of one."""
    file = tmp_path / "user"
    file.write_text("ingest")
    environment.setenv("UPTAKE_KAFKA_PASSWORD", HIDDEN)
    said = problem(
        environment, KAFKA_SECURITY_PROTOCOL="SASL_SSL", KAFKA_USERNAME_FILE=file
    )
    assert "UPTAKE_KAFKA_USERNAME: required" in said


def test_unreadable_secret_is_one_line(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It names variable, file and reason; never what is in it."""
    missing = tmp_path / "missing"
    said = problem(environment, **SCRAM, KAFKA_PASSWORD_FILE=missing)
    assert said == (
        f"bad settings: UPTAKE_KAFKA_PASSWORD_FILE: {missing}: "
        "no such file or directory"
    )
    odd = tmp_path / "odd"
    odd.write_bytes(HIDDEN.encode() + b"\xff")
    assert "not UTF-8" in problem(environment, KAFKA_PASSWORD_FILE=odd)
    odd.write_text(HIDDEN * 10_000)
    assert "longer than" in problem(environment, KAFKA_PASSWORD_FILE=odd)
    odd.write_text("")
    said = problem(environment, KAFKA_PASSWORD_FILE=odd)
    assert "UPTAKE_KAFKA_PASSWORD: " in said


def test_secret_given_twice_is_refused(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Which of them would hold, nobody would know."""
    file = tmp_path / "password"
    file.write_text("another")
    said = problem(
        environment, **SCRAM, KAFKA_PASSWORD=HIDDEN, KAFKA_PASSWORD_FILE=file
    )
    assert said.endswith("set only one of them")


def test_help_names_the_file_of_every_secret() -> None:
    """And of secrets only."""
    text = describe_settings(KafkaSettings) + describe_settings(PostgresSettings)
    for name in ("KAFKA_PASSWORD", "KAFKA_KEY_PASSWORD", "POSTGRES_DSN"):
        assert f"UPTAKE_{name}_FILE\n" in text
    assert "UPTAKE_KAFKA_USERNAME_FILE" not in text


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"KAFKA_PASSWORD": HIDDEN}, "KAFKA_PASSWORD"),
        ({"KAFKA_USERNAME": "ingest"}, "KAFKA_USERNAME"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_USERNAME"),
        (SCRAM, "KAFKA_PASSWORD"),
        ({"KAFKA_SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"KAFKA_CA_FILE": "/no/such/file"}, "KAFKA_CA_FILE"),
        ({"KAFKA_KEY_PASSWORD": HIDDEN}, "KAFKA_KEY_PASSWORD"),
    ],
)
def test_setting_that_would_be_left_aside_is_refused(
    environment: pytest.MonkeyPatch, values: dict[str, str], variable: str
) -> None:
    """A password in a plain connection protects nothing, and looks as if it did."""
    assert f"UPTAKE_{variable}: " in problem(environment, **values)


def test_authority_without_tls_is_refused(
    environment: pytest.MonkeyPatch, authority: Authority
) -> None:
    """Who names one believes that servers are checked."""
    said = problem(environment, KAFKA_CA_FILE=authority.path)
    assert "UPTAKE_KAFKA_CA_FILE: not used with protocol PLAINTEXT" in said


def test_certificate_without_key_is_refused(
    environment: pytest.MonkeyPatch, identity: Identity
) -> None:
    """And the other way round."""
    environment.setenv("UPTAKE_KAFKA_SECURITY_PROTOCOL", "SSL")
    said = problem(environment, KAFKA_CERTIFICATE_FILE=identity.certificate)
    assert "set both or neither" in said


def test_wrong_files_are_named(
    environment: pytest.MonkeyPatch,
    authority: Authority,
    identity: Identity,
    tmp_path: Path,
) -> None:
    """Not at the first connection: at the start, and by `--validate`."""
    other = authority.issue(common_name="other")
    environment.setenv("UPTAKE_KAFKA_SECURITY_PROTOCOL", "SSL")
    environment.setenv("UPTAKE_KAFKA_CERTIFICATE_FILE", str(identity.certificate))
    for key in (other.key, identity.encrypted_key, identity.certificate):
        assert f"{key}: no certificate with" in problem(environment, KAFKA_KEY_FILE=key)
    junk = tmp_path / "junk.pem"
    junk.write_text(HIDDEN)
    given(environment, KAFKA_KEY_FILE=identity.key)
    assert f"{junk}: no PEM file" in problem(environment, KAFKA_CA_FILE=junk)


def test_tls_verifies_server_and_name(
    environment: pytest.MonkeyPatch, authority: Authority, identity: Identity
) -> None:
    """There is no setting that turns it off."""
    settings = given(
        environment,
        KAFKA_SECURITY_PROTOCOL="SSL",
        KAFKA_CA_FILE=authority.path,
        KAFKA_CERTIFICATE_FILE=identity.certificate,
        KAFKA_KEY_FILE=identity.encrypted_key,
        KAFKA_KEY_PASSWORD=KEY_PASSWORD,
    )
    context = connection(settings)["ssl_context"]
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"
    assert context.minimum_version.name == "TLSv1_2"


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://uptake:{HIDDEN}/x@db:5432/uptake",
        f"postgresql://uptake:{HIDDEN}%x@db:5432/uptake",
        f"postgresql://uptake:{HIDDEN}@db:port/uptake",
        f"postgresql://uptake:a#{HIDDEN}@db/uptake",
        f"postgresql://uptake:{HIDDEN} @db/uptake",
        f"postgresql://uptake:[{HIDDEN}@db/uptake",
        f"mysql://uptake:{HIDDEN}@db/uptake",
        f"uptake:{HIDDEN}@db/uptake",
    ],
)
def test_address_that_no_driver_reads_is_not_quoted(
    environment: pytest.MonkeyPatch, dsn: str
) -> None:
    """Drivers would quote it in their errors, with its password."""
    environment.setenv("UPTAKE_POSTGRES_DSN", dsn)
    with pytest.raises(SettingsError, match=r"UPTAKE_POSTGRES_DSN: .*not like") as one:
        load_settings(PostgresSettings)
    assert HIDDEN not in str(one.value)


def test_address_whose_certificates_are_missing_is_refused(
    environment: pytest.MonkeyPatch,
) -> None:
    """The driver would take it for an outage and wait."""
    environment.setenv(
        "UPTAKE_POSTGRES_DSN",
        "postgresql://u:p@db/uptake?sslmode=verify-full&sslrootcert=/no/such",
    )
    with pytest.raises(SettingsError, match="sslrootcert: no such file: /no/such"):
        load_settings(PostgresSettings)


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://u:p%2F%40@db:5432/uptake?sslmode=verify-full",
        "postgres://u@db/uptake",
        "postgresql://u:p@[::1]:5432/uptake",
        "postgresql://u:p@one:5432,two:5433/uptake",
        "postgresql:///uptake?host=/var/run/postgresql",
    ],
)
def test_address_in_any_of_its_forms_is_taken(
    environment: pytest.MonkeyPatch, dsn: str
) -> None:
    """As Postgres itself reads them."""
    environment.setenv("UPTAKE_POSTGRES_DSN", dsn)
    assert load_settings(PostgresSettings).postgres_dsn.get_secret_value() == dsn


def test_tls_without_a_named_kafka_is_refused_by_up(
    environment: pytest.MonkeyPatch,
) -> None:
    """The embedded broker speaks none, and the services would ask it for it."""
    environment.delenv("UPTAKE_KAFKA_BOOTSTRAP_SERVERS")
    environment.setenv("UPTAKE_KAFKA_SECURITY_PROTOCOL", "SSL")
    with pytest.raises(SettingsError, match="no Kafka is named"):
        GivenServers.from_settings(load_settings(StackSettings))
