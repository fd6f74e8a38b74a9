"""Targets and the populations that their goals are measured by, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from shared.catalogue.tree import LocalityKey

HOUR_SECONDS = 3600


class Measure(StrEnum):
    """How an indicator's numbers behave over time."""

    STOCK = "stock"
    """A level, such as accounts active now; it can be stated."""
    FLOW = "flow"
    """Something that adds up, such as transactions."""


class Trajectory(StrEnum):
    """The shape of the path from a target's start to its goal."""

    LINEAR = "linear"
    MILESTONES = "milestones"
    """Through values due on days between, straight from one to the next."""
    LOGISTIC = "logistic"
    """An S-curve below the goal's population, through start and goal."""


@dataclass(frozen=True, slots=True)
class Behind:
    """When a target counts as behind its path, and when no longer."""

    enter_bp: int = 9_000
    """Position in basis points below which it is behind."""
    leave_bp: int = 9_500
    """Position in basis points from which it is not; never below `enter_bp`."""
    for_seconds: int = 24 * HOUR_SECONDS
    """How long it must be behind before an alert fires."""
    keep_seconds: int = 24 * HOUR_SECONDS
    """How long an alert is kept after it has caught up."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """A value that is due on a day on the way to the goal."""

    day: date
    value: int


@dataclass(frozen=True, slots=True)
class Population:
    """How many people of a group lived somewhere on a day, as somebody published it."""

    group: str
    """Who is counted, such as `population_15_plus`."""
    locality: LocalityKey
    as_of: date
    count: int
    """Never negative; above 0 where a goal is measured by it."""
    source: str
    """Who published it and where; what was assumed where `illustrative`."""
    illustrative: bool = False
    """Whether it was made up to show how goals look."""


@dataclass(frozen=True, slots=True)
class Target:
    """A value that is due on a date, with a path from a start."""

    id: str
    indicator: str
    locality: LocalityKey
    """One unit that exists unchanged from `start_date` to `due`."""
    start_date: date
    start_value: int
    due: date
    """After `start_date`."""
    goal_value: int
    """Other than `start_value`; below it where less is better."""
    trajectory: Trajectory = Trajectory.LINEAR
    behind: Behind = field(default_factory=Behind)
    issued_by: str | None = None
    """The document or body that set it; None only where `illustrative`."""
    illustrative: bool = False
    """Whether it was made up to show how targets look."""
    measure: Measure = Measure.STOCK
    """Of a flow, what came from `start_date` to `due` counts on from `start_value`."""
    milestones: tuple[Milestone, ...] = ()
    """Of that trajectory only: ascending, strictly between `start_date` and `due`;
    values never go away from the goal, nor beyond it."""
    goal_share_bp: int | None = None
    """The goal as written, in hundredths of a percent of the population."""
    population: Population | None = None
    """What the goal is measured by. Its count is the ceiling of a logistic path, and
    start and goal lie between 0 and it."""
    period: str | None = None
    """The calendar period that a flow is due in, such as `2026`, `2026-Q4`, `2026-11`;
    None where start and due were given."""
    succeeds: str | None = None
    """The target that this one takes over from once that has ended."""
