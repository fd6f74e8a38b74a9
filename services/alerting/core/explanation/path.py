"""What a target asks for, what is due by now, and how far along it is."""

from decimal import Decimal
from fractions import Fraction
from typing import Final, assert_never

from services.alerting.core.explanation.case import Case, Step, exact_value
from services.alerting.core.explanation.numbers import (
    days,
    moment,
    number,
    operand,
    percent,
)
from services.alerting.core.logistic import log_odds
from services.alerting.core.path import (
    between_milestones,
    day_number,
    days_left,
    direction,
)
from shared.catalogue.model import Measure, Target, Trajectory

CATALOGUE: Final = "the target in the catalogue"
POPULATIONS: Final = "populations.csv there"
CLOCK: Final = "the database's clock"
COMPUTED: Final = "from the steps above"
COPY: Final = "copy of uptake.totals"
_SHOWN: Final = Decimal("0.000000001")


def explain_goal(case: Case) -> Step:
    """Say what has to be reached, and what that is measured by."""
    target, population = case.target, case.target.population
    goal = f"{target.goal_value:,} by {target.due}"
    if population is None:
        lines: tuple[str, ...] = (goal,)
    else:
        who = f"{population.count:,} {population.group} on {population.as_of}"
        lines = (f"{who} ({population.source})",)
        share = target.goal_share_bp
        lines += (goal,) if share is None else (_share(target, share), goal)
    return Step(
        "goal",
        "goal",
        target.goal_value,
        lines,
        CATALOGUE if population is None else f"{CATALOGUE}, {POPULATIONS}",
    )


def _share(target: Target, share_bp: int) -> str:
    population = target.population
    assert population is not None, "a share has a population"
    share = Fraction(population.count * share_bp, 10_000)
    text = f"{percent(share_bp)} of {population.count:,} = {number(share)}"
    if share.denominator == 1:
        return text
    way = "up" if direction(target) > 0 else "down"
    return f"{text}, rounded {way} to {target.goal_value:,}"


def explain_path(case: Case) -> Step:
    """Say where the path begins, what shape it has, and which milestones it passes."""
    target = case.target
    start = f"{target.trajectory.value} from {target.start_value:,} on "
    start += f"{target.start_date}, {_rising(target)}"
    lines = [start]
    if target.measure is Measure.FLOW:
        period = "" if target.period is None else f" ({target.period})"
        lines.append(f"a flow: what came since that day is added{period}")
    lines += [f"milestone {one.value:,} on {one.day}" for one in target.milestones]
    return Step("path", "path", target.trajectory.value, tuple(lines), CATALOGUE)


def _rising(target: Target) -> str:
    return "more is better" if direction(target) > 0 else "less is better"


def explain_day(case: Case) -> Step:
    """Count whole local days."""
    target = case.target
    length = (target.due - target.start_date).days
    at = day_number(target, case.today)
    left = days_left(target, case.today)
    if at < 0:
        said = f"{days(-at)} before the start"
    elif left < 0:
        said = f"{days(-left)} after the due day"
    else:
        said = f"day {at:,} of {length:,}, {days(left)} left"
    return Step(
        "day", "today", at, (f"{case.today} in {case.timezone}: {said}",), CLOCK
    )


def explain_due_now(case: Case) -> Step:
    """Follow the path up to today."""
    return Step(
        "due_now",
        "due now",
        exact_value(case.seen.expected),
        _due_now(case),
        COMPUTED,
    )


def _due_now(case: Case) -> tuple[str, ...]:
    target, due_now = case.target, case.seen.expected
    if case.today <= target.start_date:
        return (f"{number(due_now)}: up to its first day the start holds",)
    if case.today >= target.due:
        return (f"{number(due_now)}: from the due day on the goal holds",)
    start, goal = target.start_value, target.goal_value
    elapsed = day_number(target, case.today)
    length = (target.due - target.start_date).days
    match target.trajectory:
        case Trajectory.LINEAR:
            return _straight(start, goal, elapsed, length, due_now)
        case Trajectory.MILESTONES:
            before, after = between_milestones(target, case.today)
            return (
                (
                    f"between {before.value:,} on {before.day} and {after.value:,} on "
                    f"{after.day}:"
                ),
                *_straight(
                    before.value,
                    after.value,
                    (case.today - before.day).days,
                    (after.day - before.day).days,
                    due_now,
                ),
            )
        case Trajectory.LOGISTIC:
            return _curved(target, elapsed, length, due_now)
        case _:
            assert_never(target.trajectory)


def _straight(
    start: int, goal: int, elapsed: int, length: int, due_now: Fraction
) -> tuple[str, ...]:
    return (
        (
            f"{start:,} + ({goal:,} - {start:,}) x {elapsed:,}/{length:,} = "
            f"{number(due_now)}"
        ),
    )


def _curved(
    target: Target, elapsed: int, length: int, due_now: Fraction
) -> tuple[str, ...]:
    population = target.population
    assert population is not None, "a logistic path has a population"
    ceiling = population.count
    first, last = (
        log_odds(value, ceiling) for value in (target.start_value, target.goal_value)
    )
    here = first + (last - first) * elapsed / length
    shown, shown_last, shown_here = (
        f"{value.quantize(_SHOWN):f}" for value in (first, last, here)
    )
    return (
        f"log odds, ln(value / ({ceiling:,} - value)):",
        f"at the start {shown}, at the goal {shown_last}",
        (
            f"now {shown} + ({shown_last} - {shown}) x {elapsed:,}/{length:,} = "
            f"{shown_here} (9 decimals shown of 60 digits)"
        ),
        (
            f"{ceiling:,} / (1 + e^-({shown_here})) = {number(due_now)}, rounded once "
            "to a millionth"
        ),
    )


def explain_actual(case: Case) -> Step:
    """Say what is there."""
    target, actual = case.target, case.seen.actual
    is_over = days_left(target, case.today) < 0
    if target.measure is Measure.FLOW:
        counted = actual - target.start_value
        until = f" to {target.due}" if is_over else ""
        line = f"{target.start_value:,} + {counted:,} counted from "
        line += f"{target.start_date}{until} = {actual:,}"
    elif is_over and case.reading.level_on_due is not None:
        line = f"{actual:,}: the level on the due day, {target.due}"
    else:
        line = f"{actual:,}: the level with all that has been counted"
    complete = moment(case.reading.complete_until, case.timezone)
    return Step(
        "actual", "actual", actual, (line,), f"{COPY}, complete up to {complete}"
    )


def explain_position(case: Case) -> Step:
    """Divide what was covered by what was to be covered."""
    target, seen = case.target, case.seen
    if seen.position is None:
        line = "none: it has not started"
    elif seen.expected == target.start_value:
        word = "not worse" if seen.position else "worse"
        line = f"{number(seen.position)}: nothing is due yet, and actual is {word} "
        line += "than the start"
    else:
        start = operand(target.start_value)
        line = f"({operand(seen.actual)} - {start}) / ({operand(seen.expected)} - "
        line += f"{start}) = {number(seen.position)}"
    value = exact_value(seen.position)
    return Step("position", "position", value, (line,), COMPUTED)
