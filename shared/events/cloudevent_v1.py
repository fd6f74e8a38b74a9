"""What a sender sends to `POST /v1/events`, for the OpenAPI document.

Ingest decides with rules of its own (`services.ingest.core`), which need catalogue and
clock. These models say the part of them that a schema can say; one contract test holds
the two together: whatever ingest admits is valid here.
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
STREAM: Final = "application/x-ndjson"

ID_LENGTH_MAX: Final = 128
TEXT_LENGTH_MAX: Final = 256
COUNT_MAX: Final = 1_000_000_000
FIGURE_MAX: Final = 1_000_000_000_000_000

# Lone surrogates are refused too. A pattern must not say so: engines that read text
# as UTF-16 would find two of them in each rare character.
_CLEAN: Final = r"^[^\u0000-\u001f\u007f-\u009f]+$"
_INSTANT: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}"
    r"(\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_DAY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

Id = Annotated[str, Field(min_length=1, max_length=ID_LENGTH_MAX, pattern=_CLEAN)]
Text = Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX, pattern=_CLEAN)]
Instant = Annotated[
    str, Field(pattern=_INSTANT, json_schema_extra={"format": "date-time"})
]
Day = Annotated[str, Field(pattern=_DAY, json_schema_extra={"format": "date"})]
Figure = Annotated[int, Field(ge=0, le=FIGURE_MAX)]


Indicator = Annotated[
    Text | SkipJsonSchema[None],
    Field(
        description="an indicator of the catalogue; to be sent where the event's type "
        "leaves it open, as uptake.indicator.counted does, and only there"
    ),
]


class _Data(BaseModel):
    # A misspelt count would be taken for 1, so members that nobody reads are refused.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class CountDataV1(_Data):
    """Of a type with effect count: so many were counted, worth so much."""

    indicator: Indicator = None
    locality: Text = Field(
        description="code of the commune that bears it on the event's local day, or "
        "of a province's unallocated rest"
    )
    count: int = Field(
        default=1,
        ge=1,
        le=COUNT_MAX,
        description="how many; one event may carry a day's sum; where the type takes "
        "back an amount only, 1 or left out",
    )
    amount: Figure = Field(
        default=0, description="in VND; only where the indicator has an amount"
    )


class StatementDataV1(_Data):
    """Of a type with effect state: the level of a stock at the end of a day."""

    indicator: Indicator = None
    locality: Text = Field(description="code of the commune on that day")
    count: Figure = Field(description="the level")
    day: Day = Field(description="not after the event's own local day")


class ControlDataV1(_Data):
    """Of a type with effect control: the agency's own figure, compared only."""

    indicator: Indicator = None
    count: Figure = Field(description="0 says: nothing on that day")
    day: Day = Field(description="not after the event's own local day")


class ReversalDataV1(_Data):
    """Of a type with effect reverse: the event or statement that it voids wholly."""

    id: Id = Field(description="the original's id")
    source: Text | SkipJsonSchema[None] = Field(
        default=None,
        description="the original's source; the event's own where left out",
    )
    time: Instant = Field(description="the original's time")


class EventV1(BaseModel):
    """A CloudEvent. Further attributes may be sent; they are not kept."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    specversion: Literal["1.0"]
    id: Id = Field(description="chosen by the sender, the same on every retry")
    source: Text = Field(description="a source of the agency, or a path below one")
    type: Text = Field(
        description="one that the catalogue knows, e.g. uptake.indicator.counted; it "
        "decides which form `data` has"
    )
    time: Instant = Field(
        description="when it happened; at most 10 minutes ahead, on a local day that "
        "is still open; cut to microseconds"
    )
    data: CountDataV1 | StatementDataV1 | ControlDataV1 | ReversalDataV1
