"""What `POST /v1/events` answers, for the OpenAPI document.

Ingest writes its answers itself (`services.ingest`); one contract test holds them to
these models.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.errors import RefusalCode


class _Answer(BaseModel):
    # Whoever reads an answer leaves aside members that a later version adds.
    model_config = ConfigDict(frozen=True, extra="ignore")


class RefusalV1(_Answer):
    """An event that was turned away; nothing about it enters the log."""

    index: int = Field(ge=0, description="the event's place in the request, from 0")
    id: str | None = Field(
        description="the event's id, cut to 128 characters; null where it has none "
        "that is a string, or one that looks like a person's"
    )
    code: RefusalCode
    detail: str = Field(description="one line: what, where and what to do")


class ReceiptV1(_Answer):
    """What became of each event; `received` is `accepted` and `refused` together."""

    received: int = Field(ge=1)
    accepted: int = Field(
        ge=1,
        description="how many are durable; with dry_run, how many would have been",
    )
    refused: list[RefusalV1] = Field(description="ascending by index")


class StreamRefusalV1(RefusalV1):
    """A line that was turned away."""

    line: int = Field(ge=1, description="the event's line, from 1; blank lines count")


class _StreamSummary(_Answer):
    """What has become of a stream, told in a size that does not grow with it."""

    received: int = Field(ge=0)
    accepted: int = Field(
        ge=0,
        description="how many are durable; with dry_run, how many would have been",
    )
    refused: list[StreamRefusalV1] = Field(
        description="the first ones, ascending by line; the operator sets how many"
    )
    refused_count: int = Field(ge=0, description="all that were refused")
    refused_by_code: dict[RefusalCode, int]
    durable_through_line: int = Field(
        ge=0,
        description="each line up to this one was decided on, and what was accepted "
        "of them is durable",
    )


class StreamReceiptV1(_StreamSummary):
    """What became of a stream; `received` is `accepted` and `refused_count`."""

    received: int = Field(ge=1)
    accepted: int = Field(
        ge=1,
        description="how many are durable; with dry_run, how many would have been",
    )


class ProblemV1(_Answer):
    """A problem (RFC 9457)."""

    type: str = Field(
        description="what kind of problem; its last part is stable, and the examples "
        "show all that there are",
        json_schema_extra={"format": "uri"},
    )
    title: str = Field(description="the same for every problem of the kind")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="what happened here and what to do")


class NothingTakenV1(ProblemV1):
    """A problem with the events: none entered the log, and why each was refused.

    With atomic, events that are not listed would have been admitted alone.
    """

    type: str = Field(
        description="its last part is the code of the one refusal, with dashes, or "
        "events-refused where there are more",
        json_schema_extra={"format": "uri"},
    )
    received: int = Field(ge=1)
    accepted: Literal[0]
    refused: list[RefusalV1] = Field(min_length=1, description="ascending by index")


class StreamStoppedV1(ProblemV1, _StreamSummary):
    """A stream that broke in its midst, or of which nothing was taken.

    Whether what follows `durable_through_line` is in the log is unknown: send it, or
    the whole stream, again with the same ids.
    """
