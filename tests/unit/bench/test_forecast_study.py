"""The study of the forecast: what it counts, and a short form of it."""

import numpy as np
import pytest

from tests.bench.forecast.coverage import measure_coverage
from tests.bench.forecast.thresholds import Runs, operate, together
from tests.bench.forecast.truths import (
    RUN_DAYS,
    bass,
    linear,
    logistic,
    stop_and_go,
    with_wrong_ceiling,
)

SEED = 5
RULE = (0.5, 0.4)
DAYS = np.array([100, 200, 300])


def runs(*chances: list[float], missed: list[bool], slowed: list[float]) -> Runs:
    """Build targets that were looked at three times."""
    return Runs(
        days=DAYS,
        chances=np.array(chances),
        lagging=np.zeros((len(chances), 3), dtype=np.bool_),
        is_missed=np.array(missed),
        slowed_at=np.array(slowed),
    )


@pytest.mark.parametrize("truth", [linear, logistic, bass, stop_and_go])
def test_nominal_interval_holds_about_as_often_as_it_says(truth: object) -> None:
    """A short form of the study; the bounds leave room for chance (150 courses)."""
    assert callable(truth)
    found = measure_coverage(truth(np.random.default_rng(SEED), 150), 26, SEED)
    assert 0.7 <= found.held <= 0.95
    assert abs(found.held + found.early + found.late - 1) < 1e-9


def test_ceiling_that_is_told_too_high_is_borne() -> None:
    """A tenth of the population may never come."""
    sample = with_wrong_ceiling(logistic(np.random.default_rng(SEED), 150), 110)
    assert sample.is_claimed
    assert 0.7 <= measure_coverage(sample, 26, SEED).held <= 0.95


def test_false_alarm_is_one_about_a_target_that_was_met() -> None:
    """Ever, and for which share of the days."""
    seen = runs(
        [0.6, 0.2, 0.1],
        [0.1, 0.1, 0.1],
        [0.9, 0.9, 0.9],
        missed=[False, False, True],
        slowed=[np.nan, np.nan, np.nan],
    )
    point = operate(seen, RULE)
    assert point.false_alarms == 0.5
    assert point.false_days == pytest.approx(1 / 6)
    assert point.warned == 1
    assert point.lead_days == RUN_DAYS - 100


def test_delay_is_from_the_slow_down_to_the_next_alert() -> None:
    """Those that were under alert before do not count; none at all is the due day."""
    seen = runs(
        [0.1, 0.1, 0.9],
        [0.9, 0.9, 0.9],
        [0.1, 0.1, 0.1],
        [0.1, 0.1, 0.1],
        missed=[True, True, True, False],
        slowed=[150.0, 150.0, 150.0, 150.0],
    )
    point = operate(seen, RULE)
    assert point.delay_days == np.median([150, RUN_DAYS - 150])


def test_alert_goes_on_until_a_tenth_below_where_it_began() -> None:
    """One alert, not two; and without a forecast it ends."""
    steady = runs([0.6, 0.45, 0.6], missed=[True], slowed=[np.nan])
    broken = runs([0.6, np.nan, 0.6], missed=[True], slowed=[np.nan])
    met = runs([0.0, 0.0, 0.0], missed=[False], slowed=[np.nan])
    slow = runs([0.0, 0.9, 0.9], missed=[True], slowed=[150.0])
    assert operate(together([steady, met, slow]), RULE).episodes == 1
    assert operate(together([broken, met, slow]), RULE).episodes == 1.5
