"""What a target's goal and milestones come to, in the indicator's units."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction

from shared.catalogue.files import Entry, Problems
from shared.catalogue.model import (
    Behind,
    LocalityKey,
    Measure,
    Milestone,
    Population,
    Target,
    Trajectory,
)
from shared.catalogue.populations import FILE, find_population
from shared.catalogue.target_shapes import MeasuredShape, TargetShape

_FULL_BP = 10_000


class Populations:
    """The catalogue's populations, to be looked up by group and unit."""

    def __init__(self, populations: Iterable[Population]) -> None:
        """Take them in the order of their days."""
        self._by_unit: dict[tuple[str, LocalityKey], list[Population]] = defaultdict(
            list
        )
        for one in populations:
            self._by_unit[one.group, one.locality].append(one)

    def of(self, group: str, unit: LocalityKey) -> tuple[Population, ...]:
        """Return the figures for a group in a unit, ascending by day."""
        return tuple(self._by_unit.get((group, unit), ()))


def share_of(population: int, share_bp: int, start_value: int) -> int:
    """Return the whole number at which a share is reached, seen from a start.

    A goal of 80 % is not met by 79.99 %: rounded up above the start. A falling
    indicator has to come down to its share: rounded down below it.

    Args:
        population: Of whom; above 0.
        share_bp: In hundredths of a percent.
        start_value: Where the path begins.
    """
    exact = Fraction(population * share_bp, _FULL_BP)
    if abs(exact - start_value) < 1:
        # Less than one away: nothing to go.
        return start_value
    down = exact.numerator // exact.denominator
    return down if exact < start_value or exact == down else down + 1


def build_target(
    entry: Entry[TargetShape],
    locality: LocalityKey,
    measure: Measure,
    populations: Populations,
    problems: Problems,
) -> Target | None:
    """Make a target of its entry; None if its goal cannot be made out."""
    shape = entry.shape
    before = len(problems.lines)
    population = _find_population(entry, locality, populations, problems)
    if len(problems.lines) > before:
        return None
    start_value = shape.start_value
    goal_value = _resolve(shape.goal, start_value, population)
    target = Target(
        id=shape.id,
        indicator=shape.indicator,
        locality=locality,
        start_date=shape.first_day,
        start_value=start_value,
        due=shape.last_day,
        goal_value=goal_value,
        trajectory=shape.trajectory.kind,
        behind=Behind(
            enter_bp=shape.behind.enter,
            leave_bp=shape.behind.leave,
            for_seconds=shape.behind.for_,
            keep_seconds=shape.behind.keep,
        ),
        issued_by=shape.issued_by,
        illustrative=shape.illustrative,
        measure=measure,
        milestones=tuple(
            Milestone(one.date, _resolve(one, start_value, population))
            for one in shape.trajectory.milestones or ()
        ),
        goal_share_bp=shape.goal.percent,
        population=population,
        period=None if shape.period is None else shape.period.name,
        succeeds=shape.succeeds,
    )
    for place, wrong, remedy in (*_check_goal(target), *_check_path(target)):
        problems.add(entry.file, entry.place_of(place), wrong, remedy)
    return None if len(problems.lines) > before else target


def _find_population(
    entry: Entry[TargetShape],
    locality: LocalityKey,
    populations: Populations,
    problems: Problems,
) -> Population | None:
    """Find what the goal is measured by; None, too, where it names nothing."""
    shape, goal = entry.shape, entry.shape.goal
    shares = [
        one for one in shape.trajectory.milestones or () if one.percent is not None
    ]
    found: tuple[str, str, str] | None = None
    population = None
    if goal.of is None:
        if shares:
            found = (
                "trajectory.milestones",
                "a percentage, but the goal names no population",
                "name the group in goal.of, or give values",
            )
        elif shape.trajectory.kind is Trajectory.LOGISTIC:
            found = (
                "goal.of",
                "a logistic path without the population that it nears",
                "name its group in goal.of",
            )
    else:
        known = populations.of(goal.of, locality)
        population = find_population(known, goal.as_of, shape.first_day)
        found = _check_population(population, known, shape)
    if found is not None:
        place, wrong, remedy = found
        problems.add(entry.file, entry.place_of(place), wrong, remedy)
    return population


def _check_population(
    population: Population | None, known: tuple[Population, ...], shape: TargetShape
) -> tuple[str, str, str] | None:
    goal = shape.goal
    if population is None:
        when = (
            f"up to {shape.first_day}" if goal.as_of is None else f"as of {goal.as_of}"
        )
        days = ", ".join(str(one.as_of) for one in known)
        return (
            "goal.of",
            f"{FILE} has no {goal.of} of '{shape.locality}' {when}",
            f"name one of its days in goal.as_of: {days}" if days else "add it there",
        )
    if population.count == 0:
        return (
            "goal.of",
            f"{goal.of} of '{shape.locality}' is 0: a share of nobody is no goal",
            f"correct {FILE}, or give goal.value alone",
        )
    if population.illustrative and not shape.illustrative:
        return (
            "goal.of",
            f"{goal.of} of '{shape.locality}' is illustrative, the target is not",
            "give a published figure, or write illustrative: true",
        )
    return None


def _resolve(
    shape: MeasuredShape, start_value: int, population: Population | None
) -> int:
    if shape.value is not None:
        return shape.value
    assert shape.percent is not None, "the shape's own check asked for one"
    assert population is not None, "a percentage without a population was refused"
    return share_of(population.count, shape.percent, start_value)


def _check_goal(target: Target) -> Iterator[tuple[str, str, str]]:
    # Without a direction, neither pace nor "not worse than the start" has a
    # meaning.
    if target.goal_value == target.start_value:
        place = "goal.value" if target.goal_share_bp is None else "goal.percent"
        yield place, "the goal equals start.value", "give another value"


def _check_path(target: Target) -> Iterator[tuple[str, str, str]]:
    match target.trajectory:
        case Trajectory.MILESTONES:
            yield from _check_milestones(target)
        case Trajectory.LOGISTIC:
            yield from _check_logistic(target)
        case Trajectory.LINEAR:
            pass


def _check_milestones(target: Target) -> Iterator[tuple[str, str, str]]:
    """Refuse a way that goes back in time, or away from the goal."""
    sign = 1 if target.goal_value > target.start_value else -1
    day, value = target.start_date, target.start_value
    for number, one in enumerate(target.milestones):
        place = f"trajectory.milestones.{number}"
        if not day < one.day < target.due:
            yield (
                f"{place}.date",
                f"{one.day} is not between {day} and {target.due}",
                "put milestones in order, after the start and before the due day",
            )
        if not sign * value <= sign * one.value <= sign * target.goal_value:
            yield (
                place,
                f"{one.value} is not between {value} and the goal, {target.goal_value}",
                "let every milestone be at least as near to the goal",
            )
        day, value = max(day, one.day), one.value


def _check_logistic(target: Target) -> Iterator[tuple[str, str, str]]:
    """Refuse what no S-curve below its ceiling passes through."""
    population = target.population
    assert population is not None, "a logistic path without one was refused"
    ceiling = population.count
    if not 0 < target.start_value < ceiling:
        yield (
            "start.value",
            f"a logistic path cannot begin at {target.start_value} of {ceiling}",
            "start above 0 and below the population, or write milestones",
        )
    if not 0 < target.goal_value < ceiling:
        yield (
            "goal",
            f"a logistic path never comes to {target.goal_value} of {ceiling}",
            "write at most 99 percent and more than 0, or another trajectory",
        )
