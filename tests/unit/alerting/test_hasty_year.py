"""The truth that the service's year is held to: what is in it, and that it is one."""

from collections import Counter

import pytest

from tests.support.hasty_truth import (
    LOOKS_A_DAY,
    SILENT,
    Episode,
    Look,
    episodes,
    expected_truth,
    looks_of,
    raised_at,
)
from tests.support.scripted_year import CODES, END, Province, scripted_year
from tests.support.year_truth import LAGGING, MET, MISSED

YEAR = {province.code: province for province in scripted_year()}


@pytest.mark.parametrize("province", YEAR.values(), ids=YEAR)
def test_what_is_told_does_not_depend_on_who_looks_first(province: Province) -> None:
    """Whether a target learns of a silence at once or one look later."""
    assert expected_truth(province, is_late=True) == expected_truth(province)


def test_the_year_raises_what_its_characters_are_there_for() -> None:
    """Who is silent is not told to lag, nor is it forgotten what was missed."""
    raised = {code: _raised(YEAR[code]) for code in CODES}
    assert sum(raised.values(), Counter()) == {
        LAGGING: 21,
        MET: 22,
        MISSED: 14,
        SILENT: 5,
    }
    by_character = {
        province.character: raised[code]
        for code, province in YEAR.items()
        if province.character in {"silent for good", "never reports", "flat start"}
    }
    assert by_character == {
        "silent for good": {SILENT: 1, MISSED: 1},
        "never reports": {SILENT: 1, MISSED: 1},
        "flat start": {LAGGING: 1, MET: 1},
    }


def _raised(province: Province) -> Counter[str]:
    return Counter(each.kind for each in episodes(expected_truth(province).told))


def test_who_is_silent_is_unknown_until_its_arrears_are_in() -> None:
    """From the eighth day without a report to the fourth after the first one."""
    province = next(each for each in YEAR.values() if each.silence == range(80, 101))
    statuses = expected_truth(province).statuses
    unknown = [day for day in range(END) if statuses[day] == "unknown"]
    # The platform was away in between, and on day 250.
    assert unknown == [*range(88, 107), 250]


def test_episodes_are_raised_from_their_first_look_to_the_last_before_their_end() -> (
    None
):
    """The end itself is no longer part of it."""
    one = Episode("year-01", LAGGING, 1, Look(7, 10), Look(9, 0))
    looks = [look for day in range(6, 11) for look in looks_of(day)]
    found = [look for look in looks if list(raised_at([one], look))]
    assert found[0] == Look(7, 10)
    assert found[-1] == Look(8, 5 * (LOOKS_A_DAY - 1))
