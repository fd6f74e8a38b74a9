"""What the board answers to those who read totals, series, targets and alerts.

Figures are exact: JSON numbers without exponent, of any length. Counts and amounts are
whole.
"""

import datetime as dt
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

Whole = Annotated[
    int | Decimal,
    WithJsonSchema({"type": "integer"}),
]
Number = Annotated[int | Decimal, WithJsonSchema({"type": "number"})]
BasisPoints = Annotated[int, Field(description="10000 is 1")]


class _Answer(BaseModel):
    # Whoever reads an answer leaves aside members that a later version adds.
    model_config = ConfigDict(frozen=True, extra="ignore")


class UnitV1(_Answer):
    """A locality as it was on a day: its identity is code and valid_from."""

    code: str
    valid_from: dt.date
    name: str
    kind: str = Field(description="nation, province, commune or unallocated")


class TotalV1(_Answer):
    """The level of one indicator in one unit."""

    indicator: str
    locality: str
    valid_from: dt.date
    name: str
    kind: str
    count: Whole
    amount: Whole = Field(description="in VND")


class _Complete(_Answer):
    complete_up_to: AwareDatetime | None = Field(
        description="everything logged up to this instant is in the figures; null "
        "while that is not known"
    )
    newest_record_at: AwareDatetime | None = Field(
        description="log time of the newest record in the figures"
    )


class _Paged(_Answer):
    next: str | None = Field(
        description="to be given back as `cursor` for what comes after this page; null "
        "on the last one"
    )


class TotalsV1(_Complete, _Paged):
    """Levels of a unit and what lies directly under it, all of one moment.

    By indicator, then the unit, then its children by code.
    """

    unit: UnitV1
    day: dt.date | None = Field(description="as of its end; null: all that is counted")
    known_at: AwareDatetime | None = Field(
        description="as known then: the figures stay what they are once complete_up_to "
        "has passed it"
    )
    totals: list[TotalV1]


class SeriesDayV1(_Answer):
    """One day of a series."""

    day: dt.date
    count: Whole = Field(description="level at the day's end")
    amount: Whole
    day_count: Whole = Field(description="what the day's own events added, net")
    day_amount: Whole


class SeriesV1(_Complete, _Paged):
    """One indicator of one unit, day by day, under the borders of the last day."""

    unit: UnitV1
    indicator: str
    series: list[SeriesDayV1] = Field(description="ascending, without gaps")


class TargetV1(_Answer):
    """Where a target stands."""

    target: str
    indicator: str
    locality: str
    valid_from: dt.date
    locality_name: str | None
    status: str = Field(
        description="not_started, met, missed, unknown, lagging, at_risk, ahead or "
        "on_track"
    )
    reason: str | None = Field(description="why it is unknown")
    actual: Number | None
    expected: Number | None = Field(description="what the path asks for by now")
    start_value: Number
    goal: Number
    start_date: dt.date
    due: dt.date
    position_bp: BasisPoints | None
    pace_7_bp: BasisPoints | None
    pace_28_bp: BasisPoints | None
    required_per_day: Number | None
    achieved_7_per_day: Number | None
    achieved_28_per_day: Number | None
    illustrative: bool = Field(description="made up: nobody has set this target")
    status_since: AwareDatetime | None
    evaluated_at: AwareDatetime | None
    measure: str = Field(
        description="stock: actual is a level; flow: what came from start_date to due, "
        "on top of start_value"
    )
    trajectory: str = Field(description="linear, milestones or logistic")
    period: str | None = Field(
        description="calendar period of a flow: 2026, 2026-Q4 or 2026-11"
    )
    goal_share_bp: BasisPoints | None = Field(
        description="the goal as a share of the population, where it was set as one"
    )
    population_group: str | None = Field(description="who the goal is measured by")
    population: Whole | None
    population_as_of: dt.date | None
    population_source: str | None
    population_illustrative: bool | None
    succeeds: str | None = Field(description="the target that this one takes over from")
    succeeded_by: str | None
    behind: Number | None = Field(
        description="by how much actual is worse than expected; negative where it is "
        "better. required_per_day makes it up by due, achieved_7_per_day is the pace "
        "of now"
    )
    forecast_day: dt.date | None = Field(
        description="last day that the forecast was made from; null before the first "
        "one. Made once a day; older than three days it is not to be relied on"
    )
    no_forecast: str | None = Field(
        description="why nothing reliable can be forecast: short_history, no_progress, "
        "saturated, reached or over"
    )
    p10: dt.date | None = Field(
        description="day by which the goal is reached with a chance of 10 %; null "
        "without a forecast, or where it lies more than ten years ahead"
    )
    p50: dt.date | None = Field(description="likewise with a chance of 50 %")
    p90: dt.date | None = Field(description="likewise with a chance of 90 %")
    miss_bp: BasisPoints | None = Field(
        description="chance that the goal is not reached on the due day"
    )


class TargetsV1(_Complete, _Paged):
    """Targets that have been judged, by id."""

    targets: list[TargetV1]


class AlertV1Row(_Answer):
    """An alert as it is now; the message of `uptake.alerts` is one change of it."""

    fingerprint: str
    kind: str
    target: str | None = Field(description="null where the alert is about an agency")
    agency: str | None = Field(description="null where the alert is about a target")
    indicator: str | None
    locality: str | None
    state: str = Field(description="quiet, pending, firing, kept or resolved")
    episode: int
    state_since: AwareDatetime
    pending_since: AwareDatetime | None
    firing_since: AwareDatetime | None
    resolved_at: AwareDatetime | None
    summary_en: str
    summary_vi: str
    evaluated_at: AwareDatetime
    deliveries_dead: int = Field(
        description="messages about it that webhooks did not take and that were given "
        "up, within 90 days and not sent again"
    )


class AlertsV1(_Complete, _Paged):
    """Alerts: firing ones first, then kept, then pending, then the others."""

    alerts: list[AlertV1Row]
