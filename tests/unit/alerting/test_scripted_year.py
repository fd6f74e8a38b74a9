"""A year of 34 provinces: what is told of it is what has to be told, to the day."""

from collections import Counter, defaultdict

import pytest

from tests.support.scripted_year import Province, scripted_year
from tests.support.year_truth import LAGGING, MET, MISSED, expected_alerts
from tests.unit.alerting.replayed_year import replay, told

YEAR = scripted_year()


@pytest.mark.parametrize("province", YEAR, ids=lambda one: one.code)
def test_a_year_is_told_as_the_truth_has_it(province: Province) -> None:
    """Without forecasts: lagging, met and missed, each state on its day and once."""
    raised = [told(turn) for turn in replay(province).turns]
    assert sorted(raised) == expected_alerts(province)


def test_nothing_is_told_twice() -> None:
    """Target, kind, episode and state make the id of what is told."""
    every = [
        (turn.target, turn.kind, turn.episode, turn.state)
        for province in YEAR
        for turn in replay(province).turns
    ]
    assert not [each for each, times in Counter(every).items() if times > 1]


@pytest.mark.parametrize("code", ["01", "19", "25", "33", "44", "52", "66", "92"])
def test_risks_are_told_as_the_truth_has_them(code: str) -> None:
    """With forecasts: given their chances, each state of a risk on its day and once."""
    province = next(each for each in YEAR if each.code == code)
    replayed = replay(province, with_forecast=True)
    raised = [told(turn) for turn in replayed.turns]
    assert sorted(raised) == expected_alerts(province, replayed.miss_bp)


def test_the_year_holds_what_it_is_there_for() -> None:
    """Each character does what it is in the story for, by the truth alone."""
    raised: dict[str, Counter[str]] = defaultdict(Counter)
    for province in YEAR:
        raised[province.character].update(
            each.kind for each in expected_alerts(province) if each.state == "firing"
        )
    assert raised == {
        "steady": {MET: 3, MISSED: 1},
        # Begins behind with its first weekends, and is told so.
        "quiet weekends": {LAGGING: 1, MET: 2},
        "at the limit": {LAGGING: 1, MISSED: 2},
        "ahead": {MET: 2},
        "laggard": {LAGGING: 4, MISSED: 4},
        "late laggard": {LAGGING: 2, MISSED: 3},
        "recovery": {LAGGING: 3, MET: 3},
        "relapse": {LAGGING: 5, MET: 2, MISSED: 1},
        "flat start": {LAGGING: 2, MET: 2},
        "late burst": {LAGGING: 3, MET: 3},
        "silent, then late": {LAGGING: 2, MET: 3, MISSED: 1},
        "silent for good": {LAGGING: 1, MISSED: 1},
        "taken back": {MET: 2},
        "never reports": {LAGGING: 1, MISSED: 1},
    }
