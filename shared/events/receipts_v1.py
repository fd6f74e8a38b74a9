"""What `POST /v1/receipts` of the board is asked and answers."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from shared.events.cloudevent_v1 import Id, Text

ASKED_MAX: Final = 1_000


class ReceiptState(StrEnum):
    """What became of a source and id; each has exactly one."""

    COUNTED = "counted"
    """It is in the ledger, and its effect is in the totals."""
    VOIDED = "voided"
    """It is in the ledger, and a reversal has taken its effect out of the totals."""
    REVERSED = "reversed"
    """It is a reversal that was taken."""
    REJECTED = "rejected"
    """It was accepted and could not be applied; it is in no total."""
    NOT_SEEN = "not_seen"
    """No record with it has been applied."""
    FORGOTTEN = "forgotten"
    """No record with it is known, and the ledger does not reach back to its time."""


def _require_text(value: object) -> object:
    """Refuse what pydantic would take too: numbers, for seconds since 1970."""
    if not isinstance(value, str | datetime):
        message = "not a string"
        raise ValueError(message)  # noqa: TRY004 -- what pydantic reports by its place
    return value


class AskedEventV1(BaseModel):
    """An event to ask for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Text
    id: Id
    time: Annotated[AwareDatetime, BeforeValidator(_require_text)] | None = Field(
        default=None,
        description="the event's own time, if at hand: where no record is known, it "
        "tells an event that the ledger has forgotten from one that never came",
    )


class ReceiptsRequestV1(BaseModel):
    """Which events to ask for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    events: list[AskedEventV1] = Field(min_length=1, max_length=ASKED_MAX)


class _Answer(BaseModel):
    # Whoever reads an answer leaves aside members that a later version adds.
    model_config = ConfigDict(frozen=True, extra="ignore")


class RejectionV1(_Answer):
    """A record that was accepted and could not be applied."""

    partition: int
    offset: int
    logged_at: AwareDatetime
    code: str = Field(description="one of those of uptake.rejected")
    detail: str = Field(description="one line: what and why")


class EventReceiptV1(_Answer):
    """What became of one event; a member that does not apply is null.

    An event that was sent more than once has the receipt of the record that was
    applied. A copy with the same content is a duplicate, changes nothing and is not
    noted by itself.
    """

    source: str
    id: str
    state: ReceiptState
    partition: int | None = Field(description="where the record is in the log")
    offset: int | None
    logged_at: AwareDatetime | None = Field(description="when the log took it")
    type: str | None = Field(description="the event's type")
    indicator: str | None = Field(description="in which total it is, or was")
    locality: str | None
    valid_from: date | None = Field(description="of the unit that bears the code")
    day: date | None
    count: int | None = Field(
        description="what it adds to the total; of a statement the level, of a control "
        "the claim"
    )
    amount: int | None = Field(description="likewise, in VND")
    voided_by: int | None = Field(
        description="offset of the reversal, in the same partition"
    )
    code: str | None = Field(
        description="why it was rejected, one of the codes of uptake.rejected"
    )
    detail: str | None = Field(description="the same in a sentence")
    conflict: RejectionV1 | None = Field(
        description="the latest record with the same source and id that was rejected "
        "after this one had been applied, e.g. because its content is another"
    )


class ReceiptsV1(_Answer):
    """What became of each event that was asked for, all as of one moment."""

    complete_up_to: AwareDatetime | None = Field(
        description="everything logged up to this instant has been applied: what was "
        "acknowledged before it and is not_seen is not in the log; null while that "
        "is not known"
    )
    kept_since: AwareDatetime | None = Field(
        description="the ledger has forgotten events from before this instant; null "
        "while it remembers all"
    )
    states: dict[ReceiptState, int] = Field(
        description="how many receipts there are of each state that occurs"
    )
    receipts: list[EventReceiptV1] = Field(
        description="one for each that was asked for, in the same order"
    )
