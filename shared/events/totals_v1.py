"""Messages of `uptake.totals`: absolute values, a later one replaces.

The topic is compacted, so each kind of total has a key of its own: a JSON array
whose first item names the kind. `revision` is the next offset of the partition of
`uptake.events` at the commit that made the value, or at which it was published again.
A reader keeps the value with the higher revision (DESIGN section 7), of equal ones the
one that was logged later: a rebuild mends a total at the revision that it has.
"""

import json
from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class DailyTotalV1(_Wire):
    """Effects of one agency on one indicator at one leaf on one local day."""

    kind: Literal["day"] = "day"
    indicator: str
    agency: str
    locality: str
    valid_from: date
    day: date
    count: int
    amount: int
    partition: int
    revision: int

    def key(self) -> bytes:
        """Return the message's key."""
        return _key(
            "day",
            self.indicator,
            self.agency,
            self.locality,
            self.valid_from.isoformat(),
            self.day.isoformat(),
        )


class StatedLevelV1(_Wire):
    """The statement that holds for a day; `level` is null once all are voided."""

    kind: Literal["stated"] = "stated"
    indicator: str
    agency: str
    locality: str
    valid_from: date
    day: date
    level: int | None
    partition: int
    revision: int

    def key(self) -> bytes:
        """Return the message's key."""
        return _key(
            "stated",
            self.indicator,
            self.agency,
            self.locality,
            self.valid_from.isoformat(),
            self.day.isoformat(),
        )


class ControlClaimV1(_Wire):
    """An agency's own figure for a day; `claimed` is null once all are voided.

    What was counted is the sum of the same agency's daily totals of the day: it is
    not said twice, so the two can never differ.
    """

    kind: Literal["control"] = "control"
    indicator: str
    agency: str
    day: date
    claimed: int | None
    partition: int
    revision: int

    def key(self) -> bytes:
        """Return the message's key."""
        return _key("control", self.indicator, self.agency, self.day.isoformat())


class LastReportV1(_Wire):
    """When an agency last reported an indicator (log time)."""

    kind: Literal["report"] = "report"
    agency: str
    indicator: str
    at: AwareDatetime
    partition: int
    revision: int

    def key(self) -> bytes:
        """Return the message's key."""
        return _key("report", self.agency, self.indicator)


class WatermarkV1(_Wire):
    """Everything logged in a partition up to `at` has been applied and published."""

    kind: Literal["watermark"] = "watermark"
    partition: int
    at: AwareDatetime
    revision: int

    def key(self) -> bytes:
        """Return the message's key."""
        return _key("watermark", self.partition)


TotalV1 = Annotated[
    DailyTotalV1 | StatedLevelV1 | ControlClaimV1 | LastReportV1 | WatermarkV1,
    Field(discriminator="kind"),
]


def _key(*parts: str | int) -> bytes:
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
