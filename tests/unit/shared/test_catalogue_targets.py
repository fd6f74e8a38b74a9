"""What goals, paths, periods and successors of a catalogue come to."""

from datetime import date
from pathlib import Path

import pytest

from shared.catalogue.goals import share_of
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import (
    LocalityKey,
    Measure,
    Milestone,
    Population,
    Target,
    Trajectory,
)
from shared.catalogue.periods import parse_period

REFORM = date(2025, 7, 1)
ADULTS = Population(
    group="adults",
    locality=LocalityKey("38", REFORM),
    as_of=date(2025, 12, 31),
    count=2_000_003,
    source="office",
)


def load_target(directory: Path, text: str) -> Target:
    """Load a catalogue whose only targets are of this text; return the first."""
    head = '- id: one\n  locality: "38"\n  illustrative: true\n'
    path = directory / "targets/thanh-hoa.yaml"
    path.write_text(f"{head}{text}", encoding="utf-8")
    target = load_catalogue(directory).target("one")
    assert target is not None
    return target


def load_cashless(directory: Path, goal: str, more: str = "") -> Target:
    """Load a target of 2026 about cashless accounts."""
    return load_target(
        directory,
        "  indicator: cashless_accounts\n"
        "  start: {date: 2026-01-01, value: 854000}\n"
        f"  due: 2026-12-31\n  goal: {goal}\n{more}",
    )


def test_populations_are_in_the_catalogue_with_source_and_day(
    directory: Path,
) -> None:
    """By group, unit and day."""
    populations = load_catalogue(directory).populations
    assert ADULTS in populations
    assert [
        (one.group, one.locality.code, one.as_of.isoformat()) for one in populations
    ] == [
        ("adults", "15961", "2025-12-31"),
        ("adults", "38", "2025-07-01"),
        ("adults", "38", "2025-12-31"),
        ("adults", "38", "2026-03-01"),
        ("guessed", "38", "2025-12-31"),
    ]
    assert populations[-1].illustrative


def test_catalogue_without_populations_loads(directory: Path) -> None:
    """Where no goal needs one."""
    (directory / "populations.csv").unlink()
    assert load_catalogue(directory).populations == ()


def test_share_of_a_population_is_measured_by_the_latest_figure_up_to_the_start(
    directory: Path,
) -> None:
    """A census that is published later does not move a goal that stands."""
    target = load_cashless(directory, "{percent: 80, of: adults}")
    assert target.population == ADULTS
    assert target.goal_share_bp == 8_000
    assert target.goal_value == 1_600_003


def test_share_of_a_population_may_name_the_day_of_its_figure(directory: Path) -> None:
    """Also one after the start."""
    goal = "{percent: 85.96, of: adults, as_of: 2026-03-01}"
    target = load_cashless(directory, goal)
    assert target.population is not None
    assert target.population.as_of == date(2026, 3, 1)
    assert target.goal_value == 1_805_160


def test_illustrative_target_may_rest_on_an_illustrative_population(
    directory: Path,
) -> None:
    """It says of itself that it is made up."""
    target = load_cashless(directory, "{percent: 80, of: guessed}")
    assert target.population is not None
    assert target.population.illustrative


@pytest.mark.parametrize(
    ("population", "share_bp", "start", "goal"),
    [
        (2_000_003, 8_000, 0, 1_600_003),
        (2_000_003, 8_000, 2_000_000, 1_600_002),
        (1_000, 8_000, 0, 800),
        (1_000, 8_000, 900, 800),
        (3, 10_000, 0, 3),
        (3, 0, 2, 0),
        (7, 15_000, 0, 11),
        (1_001, 5_000, 500, 500),
        (1_001, 5_000, 501, 501),
    ],
)
def test_share_is_reached_at_a_whole_number(
    population: int, share_bp: int, start: int, goal: int
) -> None:
    """Rounded towards more effort: up where more is better, down where less is."""
    assert share_of(population, share_bp, start) == goal


def test_logistic_path_takes_the_population_of_its_goal(directory: Path) -> None:
    """As a word or as a mapping, for a share and for a value."""
    for goal, path in (
        ("{percent: 80, of: adults}", "logistic"),
        ("{value: 1600003, of: adults}", "{logistic: {}}"),
    ):
        target = load_cashless(directory, goal, f"  trajectory: {path}\n")
        assert target.trajectory is Trajectory.LOGISTIC
        assert target.population == ADULTS
        assert target.goal_value == 1_600_003


def test_milestones_are_values_or_shares(directory: Path) -> None:
    """In the order of their days; level stretches are taken."""
    target = load_cashless(
        directory,
        "{percent: 80, of: adults}",
        "  trajectory:\n    milestones:\n"
        "      - {date: 2026-03-31, value: 854000}\n"
        "      - {date: 2026-06-30, percent: 50}\n"
        "      - {date: 2026-09-30, percent: 80}\n",
    )
    assert target.trajectory is Trajectory.MILESTONES
    assert target.milestones == (
        Milestone(date(2026, 3, 31), 854_000),
        Milestone(date(2026, 6, 30), 1_000_002),
        Milestone(date(2026, 9, 30), 1_600_003),
    )


def test_falling_target_takes_milestones_that_fall(directory: Path) -> None:
    """Their shares are rounded down, as its goal is."""
    target = load_cashless(
        directory,
        "{percent: 10, of: adults}",
        "  trajectory: {milestones: [{date: 2026-06-30, percent: 30}]}\n",
    )
    assert target.goal_value == 200_000
    assert target.milestones == (Milestone(date(2026, 6, 30), 600_000),)


def test_flow_by_period_runs_from_its_first_to_its_last_day(directory: Path) -> None:
    """Beginning with nothing."""
    target = load_target(
        directory,
        "  indicator: ecommerce_transactions\n  period: 2026-Q4\n"
        "  goal: {value: 40000}\n",
    )
    assert target.measure is Measure.FLOW
    assert (target.start_date, target.due) == (date(2026, 10, 1), date(2026, 12, 31))
    assert (target.start_value, target.period) == (0, "2026-Q4")


def test_flow_may_also_run_between_two_dates(directory: Path) -> None:
    """With what came before as its start."""
    target = load_target(
        directory,
        "  indicator: ecommerce_transactions\n"
        "  start: {date: 2026-02-10, value: 32877}\n"
        "  due: 2026-03-10\n  goal: {value: 40000}\n",
    )
    assert target.measure is Measure.FLOW
    assert (target.start_value, target.period) == (32_877, None)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026", "2026-01-01", "2026-12-31"),
        ("2026-Q1", "2026-01-01", "2026-03-31"),
        ("2026-Q2", "2026-04-01", "2026-06-30"),
        ("2026-Q4", "2026-10-01", "2026-12-31"),
        ("2026-11", "2026-11-01", "2026-11-30"),
        ("2026-12", "2026-12-01", "2026-12-31"),
        ("2028-02", "2028-02-01", "2028-02-29"),
    ],
)
def test_calendar_period_is_its_first_and_last_day(
    text: str, first: str, last: str
) -> None:
    """Leap years and the turn of the year included."""
    period = parse_period(text)
    assert period is not None
    assert (period.first_day.isoformat(), period.last_day.isoformat()) == (first, last)


@pytest.mark.parametrize(
    "text", ["", "26", "2026-Q0", "2026-Q5", "2026-00", "2026-13", "2026-1", "2026-W07"]
)
def test_what_is_no_calendar_period_is_none(text: str) -> None:
    """Weeks among it: years do not consist of whole ones."""
    assert parse_period(text) is None


def test_successor_names_the_target_that_it_takes_over_from(directory: Path) -> None:
    """It may start on the day on which the other one is due."""
    target = load_target(
        directory,
        "  indicator: cashless_accounts\n"
        "  start: {date: 2026-12-31, value: 1200000}\n"
        "  due: 2027-12-31\n  goal: {value: 1500000}\n  succeeds: two\n"
        '- id: two\n  locality: "38"\n  illustrative: true\n'
        "  indicator: cashless_accounts\n"
        "  start: {date: 2026-01-01, value: 854000}\n"
        "  due: 2026-12-31\n  goal: {value: 1200000}\n",
    )
    assert target.succeeds == "two"


def test_successor_may_be_about_the_unit_that_took_the_place_of_one(
    directory: Path,
) -> None:
    """Where borders changed, as DESIGN asks for."""
    target = load_target(
        directory,
        "  indicator: cashless_accounts\n"
        "  start: {date: 2026-07-01, value: 10}\n"
        "  due: 2027-12-31\n  goal: {value: 20}\n  succeeds: two\n"
        '- id: two\n  locality: "16000"\n  illustrative: true\n'
        "  indicator: cashless_accounts\n"
        "  start: {date: 2026-01-01, value: 5}\n"
        "  due: 2026-06-30\n  goal: {value: 10}\n",
    )
    assert target.succeeds == "two"
