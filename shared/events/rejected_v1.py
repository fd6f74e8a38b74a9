"""A message of `uptake.rejected`: a record that was not applied, and why.

Structured CloudEvent. `bytes` is the record's value in base64, unchanged, so that a
redrive sends exactly what came (promise 6).
"""

from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

REJECTED_TYPE: Final = "uptake.record.rejected"


class RejectedDataV1(BaseModel):
    """Coordinates, code and bytes of the rejected record."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    code: str
    detail: str
    topic: str
    partition: int
    offset: int
    logged_at: AwareDatetime
    key: str | None = Field(description="the record's key, base64")
    bytes: str = Field(description="the record's value, base64")
    sha256: str = Field(description="hash of the record's value, hex")


class RejectedV1(BaseModel):
    """The envelope; `id` is topic, partition and offset, so repeats are seen."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: Literal["uptake.record.rejected"] = REJECTED_TYPE
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: RejectedDataV1
