"""What `uptake targets` says of goals and paths, and which targets it leaves out."""

from dataclasses import replace
from datetime import UTC, date, datetime

from services.cli.targets import (
    TargetRow,
    describe_forecast,
    describe_goal,
    describe_pace,
    without_past,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LAGS = TargetRow(
    target="tha-cashless-2026",
    indicator="cashless_accounts",
    locality="38",
    valid_from=date(2025, 7, 1),
    locality_name="Thanh Hóa",
    status="lagging",
    reason=None,
    actual=1_674_310,
    expected=2_009_363,
    start_value=854_000,
    goal=2_152_000,
    start_date=date(2026, 1, 1),
    due=date(2026, 12, 31),
    position_bp=7_100,
    pace_7_bp=340,
    pace_28_bp=360,
    required_per_day=11_942,
    achieved_7_per_day=410,
    achieved_28_per_day=433,
    illustrative=True,
    status_since=NOW,
    evaluated_at=NOW,
    measure="stock",
    trajectory="linear",
    period=None,
    goal_share_bp=8_000,
    population_group="population_15_plus",
    population=2_690_000,
    population_as_of=date(2025, 7, 1),
    population_source="illustrative",
    population_illustrative=True,
    succeeds=None,
    succeeded_by=None,
    forecast_day=date(2026, 11, 20),
    p10=date(2029, 10, 3),
    p50=date(2030, 1, 15),
    p90=None,
    miss_bp=9_958,
    no_forecast=None,
    behind=335_053,
)


def test_goal_that_is_a_share_says_of_whom_and_who_says_so() -> None:
    """Population, day and source."""
    assert describe_goal(LAGS) == [
        (
            "  goal       80 % of 2,690,000 population_15_plus (2025-07-01: "
            "illustrative) = 2,152,000 by 2026-12-31"
        ),
        "  path       linear from 854,000 on 2026-01-01",
    ]
    (goal, *_) = describe_goal(replace(LAGS, goal_share_bp=8_590))
    assert "  85.9 % of " in goal


def test_target_says_how_far_behind_it_is_and_what_is_needed() -> None:
    """Against what comes; nothing where that cannot be said, as before the start."""
    assert describe_pace(LAGS) == [
        "  path now   335,053 behind it; a day 11,942 are needed",
        "             a day of late: 7 d 410, 28 d 433",
    ]
    (line, _) = describe_pace(replace(LAGS, behind=-12))
    assert "12 ahead of it" in line
    assert describe_pace(replace(LAGS, behind=None)) == []
    assert describe_pace(replace(LAGS, required_per_day=None)) == []


def test_goal_that_is_a_value_says_no_more_than_it_is() -> None:
    """With the ceiling of its S-curve, if it has one."""
    plain = replace(LAGS, population_group=None, goal_share_bp=None)
    assert describe_goal(plain)[0] == "  goal       2,152,000 by 2026-12-31"
    curve = replace(LAGS, trajectory="logistic", goal_share_bp=None)
    assert describe_goal(curve)[0] == (
        "  goal       2,152,000 of 2,690,000 population_15_plus (2025-07-01: "
        "illustrative) by 2026-12-31"
    )


def test_flow_says_from_when_it_counts_and_in_which_period() -> None:
    """And who goes on after it."""
    flow = replace(
        LAGS, measure="flow", period="2026", start_value=0, succeeded_by="next"
    )
    assert describe_goal(flow)[1:] == [
        "  path       linear from 0 on 2026-01-01, plus what came since (2026)",
        "  successor  next",
    ]


def test_target_that_is_over_is_left_out_once_its_successor_has_started() -> None:
    """Not while nobody has taken over, and not while it runs."""
    over = replace(LAGS, target="over", status="missed", succeeded_by="next")
    alone = replace(over, target="alone", succeeded_by=None)
    running = replace(over, target="running", status="on_track")
    waiting = replace(LAGS, target="next", status="not_started", succeeds="over")
    rows = (over, alone, running, waiting)
    assert without_past(rows) == rows
    started = replace(waiting, status="on_track")
    assert without_past((over, alone, running, started)) == (alone, running, started)


def test_forecast_says_days_and_chance_and_up_to_when_it_looked() -> None:
    """A day beyond the horizon has no name, and no chance is rounded up."""
    assert describe_forecast(LAGS) == [
        "  forecast   P10 2029-10-03, P50 2030-01-15, P90 beyond ten years",
        "             chance of missing 0.99, from the days up to 2026-11-20",
    ]


def test_what_is_not_forecast_says_why() -> None:
    """Too short a history, or none made yet."""
    short = replace(LAGS, no_forecast="short_history", miss_bp=None)
    assert describe_forecast(short) == [
        "  forecast   none (short_history), from the days up to 2026-11-20"
    ]
    new = replace(LAGS, forecast_day=None)
    assert describe_forecast(new) == ["  forecast   none was made yet"]
