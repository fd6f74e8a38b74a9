"""Alerting's own settings."""

from pathlib import Path

import pytest

from services.alerting.core.risk import RiskLimits
from services.alerting.settings import AlertingSettings
from shared.errors import SettingsError
from shared.settings import load_settings


@pytest.fixture(autouse=True)
def required(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set what has no default."""
    monkeypatch.setenv("UPTAKE_KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("UPTAKE_POSTGRES_DSN", "postgresql://uptake@postgres/uptake")
    monkeypatch.setenv("UPTAKE_CATALOGUE", str(tmp_path))


def test_defaults_deliver_nowhere_and_show_nation_and_provinces() -> None:
    """An Alertmanager has to be named, and the label set stays small."""
    settings = load_settings(AlertingSettings)
    assert settings.alertmanager_url is None
    assert settings.http_port == 8082
    assert settings.alert_metrics_localities == ("nation", "province")


def test_localities_of_the_metrics_are_a_list_by_commas(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Empty means none."""
    name = "UPTAKE_ALERT_METRICS_LOCALITIES"
    monkeypatch.setenv(name, "nation, commune")
    settings = load_settings(AlertingSettings)
    assert settings.alert_metrics_localities == ("nation", "commune")
    monkeypatch.setenv(name, "")
    assert load_settings(AlertingSettings).alert_metrics_localities == ()


def test_limits_of_risk_are_those_of_the_study(monkeypatch: pytest.MonkeyPatch) -> None:
    """One half, two fifths and four fifths unless told otherwise."""
    assert load_settings(AlertingSettings).risk_limits() == RiskLimits()
    monkeypatch.setenv("UPTAKE_AT_RISK_ENTER", "0.7")
    assert load_settings(AlertingSettings).risk_limits() == RiskLimits(7_000, 4_000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UPTAKE_ALERTMANAGER_URL", "alertmanager:9093"),
        ("UPTAKE_ALERT_METRICS_LOCALITIES", "district"),
        ("UPTAKE_ALERT_RESEND_SECONDS", "0"),
        ("UPTAKE_AT_RISK_ENTER", "50"),
        ("UPTAKE_AT_RISK_LEAVE", "0.6"),
        ("UPTAKE_AT_RISK_ALERT", "0.4"),
    ],
)
def test_wrong_value_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The variable, not the field."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings(AlertingSettings)
    assert "\n" not in str(caught.value)
