"""A record of `uptake.events`: one admitted event, with what ingest decided.

A structured CloudEvent (JSON). Beside the sender's attributes it carries, as
extension attributes, everything that needed the clock or the catalogue, so that
aggregation needs neither (DESIGN section 3). The record's key is the agency.
"""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

CONTENT_TYPE: Final = b"application/cloudevents+json"
# A list, because the client takes no other sequence.
HEADERS: Final = [("content-type", CONTENT_TYPE)]

COUNT_MAX: Final = 1_000_000_000
AMOUNT_MAX: Final = 1_000_000_000_000_000

Text = Annotated[str, Field(min_length=1, max_length=512)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class CountedDataV1(_Wire):
    """What happened: so many, worth so much (VND)."""

    count: int = Field(ge=1, le=COUNT_MAX)
    amount: int = Field(default=0, ge=0, le=AMOUNT_MAX)


class StatedDataV1(_Wire):
    """A level (statement) or an agency's own figure (control) for a day."""

    count: int = Field(ge=0, le=AMOUNT_MAX)
    day: date


class ReversedDataV1(_Wire):
    """The original that a reversal voids."""

    id: Text
    source: Text
    time: AwareDatetime


class _AdoptionV1(_Wire):
    specversion: Literal["1.0"]
    id: Text
    source: Text
    type: Text
    time: AwareDatetime
    agency: Text
    localday: date


class CountedV1(_AdoptionV1):
    """An effect on an indicator at a leaf on a local day.

    With effect `amount` only the amount is applied: a refund takes money back, and the
    sale that was counted has still taken place.
    """

    effect: Literal["count", "amount"]
    indicator: Text
    sign: Literal[-1, 1]
    locality: Text
    validfrom: date
    data: CountedDataV1


class StatedV1(_AdoptionV1):
    """A stated level of a stock at a leaf."""

    effect: Literal["state"]
    indicator: Text
    locality: Text
    validfrom: date
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
