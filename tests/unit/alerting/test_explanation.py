"""Why a status is what it is: exact, in order, and readable in a terminal."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import product

import pytest

from services.alerting.core.explanation import Step, explain, layout
from services.alerting.core.explanation.layout import WIDTH
from services.alerting.core.explanation.numbers import number, operand
from services.alerting.core.explanation.rules import rules_up_to_status
from services.alerting.core.path import day_number
from services.alerting.core.risk import Outlook
from shared.catalogue.model import Target
from tests.unit.alerting.explained import (
    CASES,
    FALLING,
    FLOW,
    FOLDER,
    LINEAR,
    LOGISTIC,
    MILESTONES,
    NOW,
    TODAY,
    case,
    said_of,
)


@pytest.mark.parametrize("name", CASES)
def test_explanation_is_as_its_file_shows_it(name: str) -> None:
    """`python -m tests.unit.alerting.explained` writes the files anew."""
    file = FOLDER / f"explain_{name}.txt"
    assert said_of(name) == file.read_text(encoding="utf-8")


def test_every_file_belongs_to_a_case() -> None:
    """None is left over from a case that is gone."""
    files = {file.stem for file in FOLDER.glob("explain_*.txt")}
    assert files == {f"explain_{name}" for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_no_line_is_wider_than_a_terminal(name: str) -> None:
    """80 columns."""
    assert max(len(line) for line in layout(explain(CASES[name]))) <= WIDTH


@pytest.mark.parametrize("target", [LINEAR, MILESTONES, LOGISTIC, FLOW, FALLING])
def test_rules_end_at_the_status_that_is_judged(target: Target) -> None:
    """Whatever is known: the explanation never says another status than the judge."""
    start, goal = target.start_value, target.goal_value
    levels = [start - 1, (start + goal) // 2, (start + 9 * goal) // 10, goal]
    days = [target.start_date + timedelta(days=days) for days in (-1, 3, 60, 500)]
    blind = (NOW, NOW - timedelta(minutes=6), None)
    outlooks = [None, *(Outlook(TODAY, chance) for chance in (None, 4_500, 9_000))]
    for level, day, until, outlook, was in product(
        levels, days, blind, outlooks, (False, True)
    ):
        dated = None if outlook is None else replace(outlook, day=day)
        for week, filling in ((0, False), (10**6, False), (0, True)):
            looked = case(
                target,
                level,
                week=week,
                month=week,
                on_due=level,
                outlook=dated,
                until=until,
                is_filling=filling,
                was_lagging=was,
                was_at_risk=was,
                today=day,
            )
            (*earlier, last) = rules_up_to_status(looked)
            assert last.status is looked.seen.status, looked
            assert last.holds
            assert not any(rule.holds for rule in earlier)


def step(name: str, of: str) -> Step:
    """Return a step of a case by its name."""
    return next(one for one in explain(CASES[of]).steps if one.name == name)


def test_values_are_exact_for_programs() -> None:
    """Integers or fractions; no float, nothing rounded."""
    assert step("goal", "lagging_linear_percent").value == 2_152_001
    assert step("due_now", "lagging_linear_percent").value == "182852081/91"
    assert step("actual", "lagging_linear_percent").value == 1_674_310
    assert step("position", "lagging_linear_percent").value == "74648210/105138081"
    assert step("required_per_day", "lagging_linear_percent").value == "477691/40"
    assert step("pace_7", "lagging_linear_percent").value == "400/11651"
    assert step("forecast", "lagging_linear_percent").value == "0.9958"
    assert step("position", "not_started").value is None
    assert step("pace_7", "first_day").value is None


def test_calculations_come_to_what_they_say() -> None:
    """Worked out again, by hand as it were."""
    due = 854_000 + Fraction((2_152_001 - 854_000) * 324, 364)
    assert str(due) == step("due_now", "lagging_linear_percent").value
    place = Fraction(1_674_310 - 854_000) / (due - 854_000)
    assert str(place) == step("position", "lagging_linear_percent").value
    assert day_number(LINEAR, TODAY) == 324


@pytest.mark.parametrize(
    ("value", "written", "inside"),
    [
        (Fraction(1_674_310), "1,674,310", "1,674,310"),
        (Fraction(-7), "-7", "(-7)"),
        (Fraction(1_733, 4), "433.25", "433.25"),
        (Fraction(2, 7), "2/7 (about 0.2857)", "(2/7)"),
        (Fraction(-1, 3), "-1/3 (about -0.3333)", "(-1/3)"),
        (Fraction(10_000, 7), "10,000/7 (about 1,428.5714)", "(10,000/7)"),
        (Fraction(1, 70_000), "1/70,000 (about 0.000014)", "(1/70,000)"),
        (Fraction(1, 10**6), "0.000001", "0.000001"),
    ],
)
def test_numbers_are_written_exactly(
    value: Fraction, written: str, inside: str
) -> None:
    """Decimals where they end, else a fraction with about what it is."""
    assert number(value) == written
    assert operand(value) == inside


def test_names_cannot_steer_a_terminal() -> None:
    """What comes from the catalogue is shown as text."""
    one = CASES["met"]
    steered = replace(one, names=replace(one.names, place="\x1b[31mThanh Hóa"))
    assert "\x1b" not in "\n".join(layout(explain(steered)))
