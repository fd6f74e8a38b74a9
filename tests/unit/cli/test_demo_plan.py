"""The demo's plan: the published figures, to the unit, from agencies made up."""

import hashlib
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from services.alerting.core.path import level_of, position
from services.cli.demo_catalogue import write_demo_catalogue
from services.cli.demo_plan import (
    DAY_COUNT,
    PROVINCE,
    TARGET_ID,
    plan_demo,
    province_figures,
)
from services.cli.shipped import shipped_catalogue
from services.cli.simulate.plan import AgencyPlan, Unrest, expect_tally
from services.cli.simulate.truth import sum_by_indicator
from shared.catalogue.figures import load_figures
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Trajectory

TODAY = date(2026, 11, 21)
FIGURES = province_figures(load_figures(shipped_catalogue() / "figures.csv"))


def _plans(folder: Path, events_wanted: int | None) -> tuple[AgencyPlan, ...]:
    agencies = write_demo_catalogue(shipped_catalogue(), folder, TODAY)
    catalogue = load_catalogue(folder / "catalogue")
    return plan_demo(catalogue, FIGURES, agencies, TODAY, events_wanted=events_wanted)


@pytest.mark.parametrize("events_wanted", [None, 20_000, 500])
def test_plans_bring_the_published_figures(
    tmp_path: Path, events_wanted: int | None
) -> None:
    """Fewer events are larger events; the sums stay the figures."""
    published = {
        figure.indicator: (figure.count, figure.amount or 0) for figure in FIGURES
    }
    assert published["cashless_accounts"] == (854_000, 0)
    assert published["ecommerce_transactions"] == (32_877, 13_570_000_000)
    assert sum_by_indicator(_plans(tmp_path, events_wanted)) == published


def test_the_whole_demo_is_about_four_hundred_thousand_events(tmp_path: Path) -> None:
    """It has the size that was promised, two per cent of it sent twice."""
    tally = expect_tally(_plans(tmp_path, None), Unrest())
    assert 390_000 <= tally.sent <= 420_000
    assert 0.0195 < tally.duplicates / tally.sent < 0.0205
    assert tally.reversed > 0


def test_every_flow_lies_in_whole_days_and_communes_of_the_province(
    tmp_path: Path,
) -> None:
    """Fifty days before today, and the 166 communes that exist on them."""
    for plan in _plans(tmp_path, None):
        for flow in plan.flows:
            assert (flow.days[0], flow.days[-1]) == (
                date(2026, 10, 2),
                date(2026, 11, 20),
            )
            assert len(flow.days) == DAY_COUNT
            assert len(flow.leaves) == 166


def test_the_written_catalogue_is_valid_and_holds_no_key(tmp_path: Path) -> None:
    """Files hold hashes only; the keys lie beside, readable by their owner."""
    agencies = write_demo_catalogue(shipped_catalogue(), tmp_path, TODAY)
    catalogue = load_catalogue(tmp_path / "catalogue")
    assert len(catalogue.agencies) == len(agencies) == 23
    for agency in agencies:
        digest = hashlib.sha256(agency.key.encode()).hexdigest()
        found = catalogue.agency_for_key(digest)
        assert found is not None
        assert (found.id, found.locality) == (agency.id, PROVINCE)
    texts = [path.read_text() for path in (tmp_path / "catalogue").rglob("*.yaml")]
    assert not any(agency.key in text for agency in agencies for text in texts)
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600


def test_the_target_is_half_way_and_says_that_it_is_made_up(tmp_path: Path) -> None:
    """From nothing 50 days ago to two million in 40 days."""
    write_demo_catalogue(shipped_catalogue(), tmp_path, TODAY)
    target = load_catalogue(tmp_path / "catalogue").targets[TARGET_ID]
    assert (target.start_date, target.start_value) == (date(2026, 10, 2), 0)
    assert (target.due, target.goal_value) == (date(2026, 12, 31), 2_000_000)
    assert (target.behind.for_seconds, target.behind.keep_seconds) == (5, 5)
    assert target.illustrative


def test_the_other_targets_are_on_pace_with_all_counted(tmp_path: Path) -> None:
    """One on each other kind of path: the demo has one that lags, and says why."""
    write_demo_catalogue(shipped_catalogue(), tmp_path, TODAY)
    targets = load_catalogue(tmp_path / "catalogue").targets
    counted = {figure.indicator: figure.count for figure in FIGURES}
    positions = {
        target.id: position(target, level_of(target, counted[target.indicator]), TODAY)
        for target in targets.values()
    }
    assert positions.pop(TARGET_ID) < Fraction(9, 10)
    assert len(positions) == 3
    assert all(one > Fraction(95, 100) for one in positions.values()), positions
    assert {target.trajectory for target in targets.values()} == set(Trajectory)


def test_a_second_run_replaces_the_first_ones_catalogue(tmp_path: Path) -> None:
    """Nothing of an earlier run is left, its keys least of all."""
    first = write_demo_catalogue(shipped_catalogue(), tmp_path, TODAY)
    (tmp_path / "catalogue" / "agencies" / "of-yesterday.yaml").write_text("")
    second = write_demo_catalogue(shipped_catalogue(), tmp_path, TODAY)
    assert {one.key for one in first}.isdisjoint(one.key for one in second)
    assert len(load_catalogue(tmp_path / "catalogue").agencies) == 23
