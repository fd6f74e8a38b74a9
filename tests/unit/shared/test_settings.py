"""Settings come from the environment, and a bad one is told in one clear line."""

import sys
from pathlib import Path

import pytest

from services.aggregation.settings import AggregationSettings
from services.ingest.settings import IngestSettings
from shared.errors import SettingsError
from shared.settings import (
    PREFIX,
    KafkaSettings,
    PostgresSettings,
    describe_settings,
    load_settings,
    settings_from_command_line,
)

SECRET = "postgresql://uptake:hunter2@db.example:5432/uptake"  # noqa: S105 -- made up


class EverySettings(AggregationSettings, IngestSettings):
    """All settings at once."""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Give an environment in which everything that is required is set, and right."""
    for name in EverySettings.model_fields:
        monkeypatch.delenv(f"{PREFIX}{name.upper()}", raising=False)
    monkeypatch.setenv("UPTAKE_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
    monkeypatch.setenv("UPTAKE_POSTGRES_DSN", SECRET)
    monkeypatch.setenv("UPTAKE_CATALOGUE", str(tmp_path))
    return monkeypatch


def problem(environment: pytest.MonkeyPatch, **changes: str | None) -> str:
    """Load settings that are wrong and return what is said, which is one line."""
    for name, value in changes.items():
        if value is None:
            environment.delenv(f"{PREFIX}{name}")
        else:
            environment.setenv(f"{PREFIX}{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings(EverySettings)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_settings_are_read_from_the_environment(
    environment: pytest.MonkeyPatch,
) -> None:
    """With defaults for what is not set."""
    environment.setenv("UPTAKE_KAFKA_PARTITIONS", "24")
    settings = load_settings(EverySettings)
    assert settings.kafka_partitions == 24
    assert settings.kafka_idempotence
    assert settings.postgres_dsn.get_secret_value() == SECRET


def test_settings_are_frozen(environment: pytest.MonkeyPatch) -> None:
    """Nobody changes them behind another's back."""
    del environment
    settings = load_settings(KafkaSettings)
    with pytest.raises(ValueError, match="frozen"):
        settings.kafka_partitions = 1  # type: ignore[misc] # the very point


def test_every_missing_variable_is_named_in_one_line(
    environment: pytest.MonkeyPatch,
) -> None:
    """An operator mends all of them at once."""
    said = problem(
        environment, KAFKA_BOOTSTRAP_SERVERS=None, POSTGRES_DSN=None, CATALOGUE=None
    )
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "POSTGRES_DSN", "CATALOGUE"):
        assert f"{PREFIX}{name}: field required" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", ""),
        ("KAFKA_IDEMPOTENCE", "perhaps"),
        ("KAFKA_PARTITIONS", "0"),
        ("KAFKA_PARTITIONS", "1.5"),
        ("KAFKA_REPLICATION", ""),
        ("POSTGRES_DSN", ""),
        ("POSTGRES_STATEMENT_TIMEOUT_SECONDS", "0"),
        ("POSTGRES_STATEMENT_TIMEOUT_SECONDS", "nan"),
        ("CATALOGUE", "/no/Such/Folder"),
        ("LOG_LEVEL", "loud"),
        ("HTTP_PORT", "70000"),
        ("BODY_BYTES_MAX", "5MB"),
    ],
)
def test_wrong_value_is_named_by_its_variable(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """And only that one."""
    said = problem(environment, **{name: value})
    assert said.startswith(f"bad settings: {PREFIX}{name}: ")
    assert said.count(PREFIX) == 1


def test_values_are_quoted_as_they_must_be_written(
    environment: pytest.MonkeyPatch,
) -> None:
    """A path or a level in lower case would send the operator the wrong way."""
    assert "/no/Such/Folder" in problem(environment, CATALOGUE="/no/Such/Folder")
    assert "'WARNING'" in problem(environment, LOG_LEVEL="warning")


def test_secrets_are_never_shown(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither in a problem, nor in a log line, nor in the help."""
    settings = load_settings(EverySettings)
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "hunter2" not in text
    assert "hunter2" not in problem(environment, KAFKA_PARTITIONS="many")
    environment.setattr(sys, "argv", ["service", "--help"])
    with pytest.raises(SystemExit):
        settings_from_command_line(EverySettings, "about")
    assert "hunter2" not in capsys.readouterr().out


def test_help_lists_every_setting_with_meaning_and_default() -> None:
    """It is where an operator learns what there is."""
    text = describe_settings(EverySettings)
    for name, field in EverySettings.model_fields.items():
        assert f"{PREFIX}{name.upper()}\n" in text
        assert field.description
        assert field.description in text
    assert "(required)" in text
    assert "(default 12)" in text


def test_validate_ends_well_or_with_status_2_and_one_line(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A deployment can be checked before it is made."""
    environment.setattr(sys, "argv", ["service", "--validate"])
    with pytest.raises(SystemExit) as caught:
        settings_from_command_line(PostgresSettings, "about")
    assert caught.value.code == 0
    assert capsys.readouterr().out == "settings are valid\n"
    environment.delenv("UPTAKE_POSTGRES_DSN")
    with pytest.raises(SystemExit) as caught:
        settings_from_command_line(PostgresSettings, "about")
    assert caught.value.code == 2
    said = capsys.readouterr()
    assert said.err == "bad settings: UPTAKE_POSTGRES_DSN: field required\n"
    assert said.out == ""


def test_unknown_argument_ends_with_status_2(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings come from the environment only; a flag would be overlooked."""
    environment.setattr(sys, "argv", ["service", "--port=80"])
    with pytest.raises(SystemExit) as caught:
        settings_from_command_line(PostgresSettings, "about")
    assert caught.value.code == 2
    assert "--port=80" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("proxy.example", "does not appear to be"),
        ("*", "does not appear to be"),
        ("", "does not appear to be"),
        ("10.0.0.1,", "does not appear to be"),
        ("10.0.0.1/8", "has host bits set"),
        ("10.0.0.1,0.0.0.0/0", "0.0.0.0/0 is everybody"),
        ("::/0", "::/0 is everybody"),
    ],
)
def test_proxies_are_named_by_addresses_and_never_everybody(
    environment: pytest.MonkeyPatch, value: str, said: str
) -> None:
    """What would be left aside, or would believe anyone, ends the start."""
    assert said in problem(environment, HTTP_TRUSTED_PROXIES=value)


def test_proxies_are_none_unless_they_are_named(
    environment: pytest.MonkeyPatch,
) -> None:
    """Who asks is then who is connected."""
    assert load_settings(EverySettings).http_trusted_proxies is None
    environment.setenv("UPTAKE_HTTP_TRUSTED_PROXIES", "10.1.2.3, fd00::/8")
    named = load_settings(EverySettings).http_trusted_proxies
    assert named == "10.1.2.3, fd00::/8"
