"""What the demo says at its end."""

import shlex
from dataclasses import replace

import msgspec

from services.cli.demo_reading import Progress, TargetReading, parse_lags
from services.cli.demo_report import (
    Doors,
    Outcome,
    report_doors,
    report_target,
    report_totals,
)

COLUMNS = 80
PROGRESS = Progress(
    applied=412_337,
    counted=403_911,
    duplicates=8_086,
    reversed=340,
    rejected=0,
    in_flight=0,
)
TARGET = TargetReading(
    status="lagging",
    reason=None,
    actual=854_000,
    expected=1_111_111,
    position_bp=7_686,
    pace_7_bp=5_961,
    alert_state="firing",
    firing_seconds=12,
)
FIGURES = {
    "cashless_accounts": (854_000, 0),
    "ecommerce_transactions": (32_877, 13_570_000_000),
}
GOOD = Outcome(
    published=FIGURES,
    counted=FIGURES,
    progress=PROGRESS,
    target=TARGET,
    target_value=854_000,
)
DOORS = Doors(
    ingest="http://127.0.0.1:8080",
    board="http://127.0.0.1:8083",
    key="demo-AAAAAAAAAAAAAAAAAAAAAAAA",
    event={
        "specversion": "1.0",
        "id": "by-hand-042718",
        "source": "/vn/38/voso",
        "type": "uptake.ecommerce.completed",
        "time": "2026-11-22T04:27:18+07:00",
        "data": {"locality": "14758", "count": 1, "amount": 412_750},
    },
    command=".venv/bin/uptake",
    data=".uptake/demo",
)


def test_equal_figures_and_a_firing_alert_are_all_well() -> None:
    """Then, and only then, the demo ends with status 0."""
    assert GOOD.differences == []


def test_one_unit_of_difference_is_named() -> None:
    """Equal means to the unit."""
    counted = {**FIGURES, "cashless_accounts": (853_999, 0)}
    outcome = replace(GOOD, counted=counted)
    assert [line.split(":")[0] for line in outcome.differences] == ["cashless accounts"]
    assert any("DIFFERS -1" in line for line in report_totals(outcome))


def test_a_quiet_alert_rejects_and_lost_records_are_named() -> None:
    """Each of them alone is a failure."""
    quiet = replace(GOOD, target=replace(TARGET, alert_state="pending"))
    early = replace(GOOD, target=replace(TARGET, actual=1))
    lost = replace(GOOD, progress=replace(PROGRESS, counted=403_910))
    rejected = replace(GOOD, progress=replace(PROGRESS, applied=412_338, rejected=1))
    for outcome in (quiet, early, lost, rejected, replace(GOOD, target=None)):
        assert len(outcome.differences) == 1


def test_everything_fits_eighty_columns() -> None:
    """A terminal of the usual width breaks no line."""
    lines = [
        *report_totals(GOOD),
        *report_target("demo-cashless", GOOD),
        *report_doors(DOORS),
    ]
    assert max(map(len, lines)) <= COLUMNS


def test_the_equation_names_every_class() -> None:
    """Applied is the sum of the four classes, and nothing is in flight."""
    text = " ".join(" ".join(report_totals(GOOD)[-2:]).split())
    assert text == (
        "applied 412,337 = counted 403,911 + duplicates 8,086 "
        "+ reversed 340 + rejected 0 in flight 0"
    )


def test_the_curl_line_can_be_pasted_into_a_shell() -> None:
    """The parts of the event join to the JSON that was meant."""
    lines = report_doors(DOORS)
    start = next(at for at, line in enumerate(lines) if line.startswith("curl"))
    words = shlex.split("\n".join(lines[start : lines.index("", start)]))
    assert words[:3] == ["curl", "-sS", "http://127.0.0.1:8080/v1/events"]
    assert msgspec.json.decode(words[-1]) == DOORS.event


def test_lags_are_summed_over_partitions() -> None:
    """Records add up; the age is the oldest one's."""
    text = (
        "# HELP uptake_aggregation_lag_records Records.\n"
        'uptake_aggregation_lag_records{partition="0"} 3.0\n'
        'uptake_aggregation_lag_records{partition="1"} 4.0\n'
        'uptake_aggregation_lag_seconds{partition="0"} 0.5\n'
        'uptake_aggregation_lag_seconds{partition="1"} 0.25\n'
    )
    assert parse_lags(text) == (7.0, 0.5)
    assert parse_lags("# nothing yet\n") is None
