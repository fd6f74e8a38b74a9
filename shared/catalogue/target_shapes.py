"""The shapes of targets, as files hold them.

What needs the tree, the populations or other targets to judge is judged in
`shared.catalogue.targets`.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from shared.catalogue.model import Behind, Trajectory
from shared.catalogue.periods import Period, parse_period
from shared.catalogue.shapes import (
    BasisPoints,
    IndicatorId,
    Seconds,
    Shape,
    Slug,
    Text,
    Value,
    fault,
    show,
)

MILESTONES_MAX = 120
_PERCENT_BP = 100
_SHARE_BP_MAX = 1_000 * _PERCENT_BP
_TRAJECTORY_REMEDY = "write linear, logistic or {milestones: [...]}"


def _parse_share(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault(f"{show(value)} is not a percentage", "write one like 80 or 85.96")
    # The shortest text of the float is what stands in the file.
    share = Decimal(str(value)) * _PERCENT_BP
    if not share.is_finite() or share != int(share) or not 0 <= share <= _SHARE_BP_MAX:
        raise fault(
            f"{show(value)} is not from 0 to 1000 with up to two decimals",
            "write a percentage like 80 or 85.96",
        )
    return int(share)


def _parse_calendar_period(value: object) -> Period:
    # A year alone is a number for YAML.
    text = str(value) if isinstance(value, int) else value
    period = parse_period(text) if isinstance(text, str) else None
    if period is None:
        raise fault(
            f"{show(value)} is not a calendar period",
            "write one like 2026, 2026-Q4 or 2026-11",
        )
    return period


GroupId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
ShareBp = Annotated[int, BeforeValidator(_parse_share)]


class StartShape(Shape):
    """Where a target's path begins."""

    date: dt.date
    value: Value


class MeasuredShape(Shape):
    """A value, or a share of the goal's population."""

    value: Value | None = None
    percent: ShareBp | None = None

    @model_validator(mode="after")
    def check_one(self) -> "MeasuredShape":
        """Refuse both and neither."""
        if (self.value is None) == (self.percent is None):
            raise fault(
                "neither value nor percent"
                if self.value is None
                else "both value and percent",
                "give one of them",
            )
        return self


class GoalShape(MeasuredShape):
    """What a target wants."""

    of: GroupId | None = None
    as_of: dt.date | None = None

    @model_validator(mode="after")
    def check_population(self) -> "GoalShape":
        """Refuse a percentage of nothing."""
        if self.percent is not None and self.of is None:
            raise fault("percent without of", "name a group of populations.csv in of")
        if self.as_of is not None and self.of is None:
            raise fault("as_of without of", "name the group in of, or remove as_of")
        return self


class MilestoneShape(MeasuredShape):
    """What a path asks for on a day between start and due."""

    date: dt.date


class LogisticShape(Shape):
    """Start, goal and population settle an S-curve: nothing is left to say."""


class TrajectoryShape(Shape):
    """The path; neither milestones nor logistic is linear."""

    milestones: Annotated[
        list[MilestoneShape] | None, Field(min_length=1, max_length=MILESTONES_MAX)
    ] = None
    logistic: LogisticShape | None = None

    @model_validator(mode="before")
    @classmethod
    def spell_out(cls, value: object) -> object:
        """Take `linear` and `logistic` as words too."""
        if value == Trajectory.LINEAR:
            return {}
        if value == Trajectory.LOGISTIC:
            return {"logistic": {}}
        if not isinstance(value, Mapping):
            raise fault(f"trajectory {show(value)} is unknown", _TRAJECTORY_REMEDY)
        names = [str(name) for name in value]
        if len(names) != 1 or names[0] not in cls.model_fields:
            raise fault(
                f"trajectory {show(', '.join(names))} is unknown", _TRAJECTORY_REMEDY
            )
        if value[names[0]] is None:
            raise fault(f"trajectory {names[0]} is empty", _TRAJECTORY_REMEDY)
        return value

    @property
    def kind(self) -> Trajectory:
        """Name the path's shape."""
        if self.milestones is not None:
            return Trajectory.MILESTONES
        return Trajectory.LINEAR if self.logistic is None else Trajectory.LOGISTIC


class BehindShape(Shape):
    """When a target is behind; what is left out is as in the model."""

    enter: BasisPoints = Behind().enter_bp
    leave: BasisPoints = Behind().leave_bp
    for_: Annotated[Seconds, Field(alias="for")] = Behind().for_seconds
    keep: Seconds = Behind().keep_seconds


class TargetShape(Shape):
    """One entry of a file under `targets/`."""

    id: Slug
    indicator: IndicatorId
    locality: Text
    start: StartShape | None = None
    due: dt.date | None = None
    period: Annotated[Period | None, BeforeValidator(_parse_calendar_period)] = None
    goal: GoalShape
    trajectory: TrajectoryShape = TrajectoryShape.model_construct()
    behind: BehindShape = BehindShape()
    issued_by: Text | None = None
    illustrative: bool = False
    succeeds: Slug | None = None

    @model_validator(mode="after")
    def check_span(self) -> "TargetShape":
        """Ask for a start and an end, once."""
        if self.period is not None:
            if self.start is not None or self.due is not None:
                raise fault(
                    "period beside start or due", "keep the period, or the two dates"
                )
        elif self.start is None or self.due is None:
            missing = "start" if self.start is None else "due"
            raise fault(
                f"no {missing}", f"add {missing}, or the calendar period of a flow"
            )
        return self

    @property
    def first_day(self) -> dt.date:
        """Return the day on which the target starts."""
        if self.period is not None:
            return self.period.first_day
        assert self.start is not None, "the shape's own check asked for it"
        return self.start.date

    @property
    def start_value(self) -> int:
        """Return where the path begins; a period's flow begins with nothing."""
        return 0 if self.start is None else self.start.value

    @property
    def last_day(self) -> dt.date:
        """Return the day on which the goal is due."""
        if self.period is not None:
            return self.period.last_day
        assert self.due is not None, "the shape's own check asked for it"
        return self.due
