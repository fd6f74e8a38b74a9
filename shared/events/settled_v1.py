"""Messages of `uptake.rejected` that say what became of a rejected record.

Structured CloudEvents, written by ingest's verbs `redrive` and `drop` behind the
message of the record itself, under the same key. At least once: a record may be
marked twice, and the last mark holds. Without a mark it is open.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from shared.events.rejected_v1 import RejectedV1

REDRIVEN_TYPE: Final = "uptake.record.redriven"
DROPPED_TYPE: Final = "uptake.record.dropped"
REASON_LENGTH_MAX: Final = 500
_CONFIG: Final = ConfigDict(frozen=True, strict=True, extra="ignore")


class RejectedState(StrEnum):
    """Where a rejected record is in its life."""

    OPEN = "open"  # -> redriven, dropped
    REDRIVEN = "redriven"  # rejected again, it is another record, at its new place
    DROPPED = "dropped"  # -> redriven


class RedrivenDataV1(BaseModel):
    """Which record, and where its bytes lie now."""

    model_config = _CONFIG

    record: str = Field(description="id of the rejected record's message")
    topic: str
    partition: int
    offset: int


class RedrivenV1(BaseModel):
    """A rejected record was appended to the log again, its bytes unchanged."""

    model_config = _CONFIG

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: Literal["uptake.record.redriven"] = REDRIVEN_TYPE
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: RedrivenDataV1


class DroppedDataV1(BaseModel):
    """Which record, and why it will not be counted."""

    model_config = _CONFIG

    record: str = Field(description="id of the rejected record's message")
    reason: str = Field(description="in the operator's words")


class DroppedV1(BaseModel):
    """A rejected record was given up; it stays on the topic."""

    model_config = _CONFIG

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: Literal["uptake.record.dropped"] = DROPPED_TYPE
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: DroppedDataV1


RejectedMessage = RejectedV1 | RedrivenV1 | DroppedV1
REJECTED_MESSAGES: Final[TypeAdapter[RejectedMessage]] = TypeAdapter(
    Annotated[RejectedMessage, Field(discriminator="type")]
)
"""Reads any message of the topic that this version knows."""
