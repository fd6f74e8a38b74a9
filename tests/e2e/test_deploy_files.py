"""The files of Prometheus and Alertmanager, judged by Debian's own tools."""

import subprocess
from pathlib import Path

import pytest

from tests.support.debian_servers import find_tool

pytestmark = pytest.mark.debian

DEPLOY = Path(__file__).parents[2] / "deploy"


def _judge(tool: str, *arguments: str | Path) -> None:
    """Run a tool; fail with what it says."""
    done = subprocess.run(
        [find_tool(tool), *arguments], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_fire_when_they_should_and_only_then() -> None:
    """`promtool test rules` passes on every file of deploy/prometheus/rules_test."""
    tests = sorted((DEPLOY / "prometheus" / "rules_test").glob("*.yml"))
    rules = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
    assert [path.name for path in tests] == [path.name for path in rules]
    _judge("promtool", "test", "rules", *tests)


def test_prometheus_accepts_its_configuration(tmp_path: Path) -> None:
    """`promtool check config` passes, the paths being those of the container."""
    text = (DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    assert "/etc/prometheus/rules/*.yml" in text
    local = tmp_path / "prometheus.yml"
    local.write_text(
        text.replace("/etc/prometheus", str(DEPLOY / "prometheus")), encoding="utf-8"
    )
    _judge("promtool", "check", "config", local)


def test_alertmanager_accepts_its_configuration() -> None:
    """`amtool check-config` passes, on the samples for receivers too."""
    files = sorted((DEPLOY / "alertmanager").glob("*.yml"))
    assert len(files) == 2
    _judge("amtool", "check-config", *files)
