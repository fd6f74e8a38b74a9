"""A message of `uptake.refused.<agency>`: a submission that was not admitted, and why.

Structured CloudEvent, for the agency itself. The same is told to operators on
`uptake.rejected`. It names the record and does not repeat it: what was refused may hold
what must not be kept.
"""

from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

REFUSED_TYPE: Final = "uptake.submission.refused"


class RefusedDataV1(BaseModel):
    """Which record of the agency's own topic, and what to mend."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    code: str
    detail: str = Field(description="what, where and what to do")
    topic: str
    partition: int
    offset: int
    id: str | None = Field(description="the event's id, as far as it could be read")
    sha256: str = Field(description="hash of the record's value, hex")


class RefusedV1(BaseModel):
    """The envelope; `id` is topic, partition and offset, so repeats are seen."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: Literal["uptake.submission.refused"] = REFUSED_TYPE
    time: AwareDatetime = Field(description="when the record was submitted")
    datacontenttype: Literal["application/json"] = "application/json"
    data: RefusedDataV1
