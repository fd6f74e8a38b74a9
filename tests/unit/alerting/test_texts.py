"""What alerts say."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from services.alerting.core.alerts import Kind
from services.alerting.core.texts import Names, Summary, Tense, summarize, whole
from shared.catalogue.model import Target
from tests.unit.alerting.cases import FALLING, RISING, judge, on_day

NAMES = Names("Cashless accounts", "Tài khoản không dùng tiền mặt", "Thanh Hóa")
ISSUED = replace(RISING, illustrative=False)


def say(
    kind: Kind,
    target: Target,
    day: int,
    level: int,
    *,
    tense: Tense = Tense.HOLDS,
    effect: int = 0,
) -> Summary:
    """Summarize an alert about a target on a day, by number."""
    seen = judge(target, day, level, level_on_due=level, short_effect=effect)
    return summarize(kind, target, NAMES, seen, today=on_day(day), tense=tense)


def test_lagging_says_how_far_and_how_fast() -> None:
    """Figures due now, coming and needed, in both languages."""
    said = say(Kind.LAGGING, ISSUED, 50, 1_400, effect=21)
    assert said.english == (
        "Thanh Hóa is behind on cashless accounts: 1,400 against 1,500 due by "
        "20 February 2026 (position 0.80). It is behind by 100. The change is 3 a day, "
        "12 a day is needed to reach 2,000 by 11 April 2026."
    )
    assert said.vietnamese == (
        "Thanh Hóa chậm tiến độ tài khoản không dùng tiền mặt: 1.400 so với 1.500 cần "
        "đạt đến ngày 20/2/2026 (vị trí 0,80). Đang chậm 100 so với lộ trình. Mỗi "
        "ngày thay đổi 3, cần 12 mỗi ngày để đạt 2.000 vào ngày 11/4/2026."
    )


def test_lagging_of_a_falling_target_shows_the_change_as_it_is() -> None:
    """It falls by 3 a day and has to fall by 12."""
    falling = replace(FALLING, illustrative=False)
    said = say(Kind.LAGGING, falling, 50, 1_600, effect=-21)
    assert "The change is -3 a day, -12 a day is needed" in said.english


def test_missed_and_met_say_the_goal() -> None:
    """Short: the rest is history."""
    assert say(Kind.MISSED, ISSUED, 101, 1_900).english == (
        "Thanh Hóa missed its target for cashless accounts: 1,900 on 11 April 2026, "
        "where 2,000 were due. It is 100 away from the goal."
    )
    assert say(Kind.MET, ISSUED, 50, 2_100).english == (
        "Thanh Hóa has met its target for cashless accounts: 2,100, where 2,000 are "
        "due by 11 April 2026."
    )


def test_made_up_target_says_so_first() -> None:
    """In both languages."""
    said = say(Kind.LAGGING, RISING, 50, 1_400)
    assert said.english.startswith("(illustrative) ")
    assert said.vietnamese.startswith("(minh họa) ")


@pytest.mark.parametrize(
    ("day", "level", "words"),
    [
        (50, 1_600, "now stands at 1,600"),
        (50, 2_100, "has met its target"),
        (101, 1_900, "missed its target"),
    ],
)
def test_alert_that_is_over_says_where_the_target_stands_now(
    day: int, level: int, words: str
) -> None:
    """A resolved alert does not go on saying that somebody is behind."""
    said = say(Kind.LAGGING, ISSUED, day, level, tense=Tense.OVER)
    assert words in said.english
    assert "is behind" not in said.english


def test_abbreviation_keeps_its_capitals() -> None:
    """`VNeID registrations` is not `vNeID registrations`."""
    names = replace(NAMES, indicator="VNeID registrations")
    seen = judge(ISSUED, 50, 1_400)
    said = summarize(
        Kind.LAGGING, ISSUED, names, seen, today=on_day(50), tense=Tense.HOLDS
    )
    assert "behind on VNeID registrations" in said.english


def test_figures_are_rounded_to_the_nearest_whole() -> None:
    """Halves up, also below zero."""
    rounded = [whole(Fraction(number, 2)) for number in (3, 1, -1, -3)]
    assert rounded == [2, 1, 0, -1]
    assert date(2026, 2, 20) == on_day(50)
