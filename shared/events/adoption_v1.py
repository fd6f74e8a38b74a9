"""A record of `uptake.events`: one admitted event, with what ingest decided.

A structured CloudEvent (JSON). Beside the sender's attributes it carries, as
extension attributes, everything that needed the clock or the catalogue, so that
aggregation needs neither (DESIGN section 3). The record's key is the agency.
"""

import re
from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

CONTENT_TYPE: Final = b"application/cloudevents+json"
# A list, because the client takes no other sequence.
HEADERS: Final = [("content-type", CONTENT_TYPE)]

COUNT_MAX: Final = 1_000_000_000
AMOUNT_MAX: Final = 1_000_000_000_000_000

TEXT_LENGTH_MAX: Final = 512

_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:?\d{2})",
    re.ASCII,
)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _require_instant(value: object) -> object:
    """Refuse what pydantic would take too: numerals, for seconds since 1970."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return value
    message = "not an RFC 3339 instant of at most microseconds"
    raise ValueError(message)


def _require_utc(value: datetime) -> datetime:
    if value.utcoffset():
        message = "not in UTC"
        raise ValueError(message)
    return value


def _require_day(value: object) -> object:
    """Refuse what pydantic would take too: numerals, for seconds since 1970."""
    if type(value) is date or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    message = "not a day like 2026-11-21"
    raise ValueError(message)


def _require_integer(value: object) -> object:
    """Refuse true and 1.0, which equal 1 and would pass for it in a Literal."""
    if type(value) is not int:
        message = "not an integer"
        raise ValueError(message)
    return value


# Postgres stores no NUL, so a record that holds one could never be applied.
Text = Annotated[
    str, Field(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=r"^[^\x00]*$")
]
# The validators are stricter than pydantic's strict mode, which would refuse the very
# text that they let through.
Instant = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(_require_instant),
    AfterValidator(_require_utc),
]
"""In UTC, so that every instant that can be written can be computed with."""
Sign = Annotated[Literal[-1, 1], BeforeValidator(_require_integer)]
Day = Annotated[date, Field(strict=False), BeforeValidator(_require_day)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class CountedDataV1(_Wire):
    """What happened: so many, worth so much (VND)."""

    count: int = Field(ge=1, le=COUNT_MAX)
    amount: int = Field(default=0, ge=0, le=AMOUNT_MAX)


class StatedDataV1(_Wire):
    """A level (statement) or an agency's own figure (control) for a day."""

    count: int = Field(ge=0, le=AMOUNT_MAX)
    day: Day


class ReversedDataV1(_Wire):
    """The original that a reversal voids."""

    id: Text
    source: Text
    time: Instant


class _AdoptionV1(_Wire):
    specversion: Literal["1.0"]
    id: Text
    source: Text
    type: Text
    time: Instant
    agency: Text
    localday: Day


class CountedV1(_AdoptionV1):
    """An effect on an indicator at a leaf on a local day.

    With effect `amount` only the amount is applied: a refund takes money back, and the
    sale that was counted has still taken place.
    """

    effect: Literal["count", "amount"]
    indicator: Text
    sign: Sign
    locality: Text
    validfrom: Day
    data: CountedDataV1


class StatedV1(_AdoptionV1):
    """A stated level of a stock at a leaf."""

    effect: Literal["state"]
    indicator: Text
    locality: Text
    validfrom: Day
    data: StatedDataV1


class ControlV1(_AdoptionV1):
    """An agency's own figure for an indicator and day; never applied."""

    effect: Literal["control"]
    indicator: Text
    data: StatedDataV1


class ReversedV1(_AdoptionV1):
    """A reversal of an earlier (or coming) event or statement."""

    effect: Literal["reverse"]
    data: ReversedDataV1


AdoptionV1 = Annotated[
    CountedV1 | StatedV1 | ControlV1 | ReversedV1, Field(discriminator="effect")
]
