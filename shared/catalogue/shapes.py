"""The shapes of a catalogue's YAML files, one entry at a time.

What needs more than one entry to judge is judged in `shared.catalogue.checks`.
"""

import datetime as dt
import hashlib
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)
from pydantic_core import PydanticCustomError

from shared.catalogue.model import HOUR_SECONDS, Effect, Measure

_DURATION = re.compile(r"([0-9]{1,6}) ?([smhd])")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": HOUR_SECONDS, "d": 24 * HOUR_SECONDS}
_WHOLE_BP = 10_000
_VALUE_MAX = 10**15
_RATE_MAX = 1_000_000
_BURST_MAX = 100_000_000
_SHOWN_MAX = 60
_SHOWN_NUMBER_MAX = 10**_SHOWN_MAX
# Of no text at all: what `sha256sum` says when the variable that should have held the
# key was empty. Whoever sent an empty key would then be let in.
_SHA256_OF_NOTHING = hashlib.sha256(b"").hexdigest()


def show(value: object) -> str:
    """Show a value of a file in a message, cut to a bearable length."""
    if isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, int) and abs(value) > _SHOWN_NUMBER_MAX:
        # Python refuses to write numbers of thousands of digits.
        return "a number without end"
    text = str(value) if isinstance(value, dt.date | bool) else repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"


def fault(wrong: str, remedy: str) -> PydanticCustomError:
    """Make an error for a validator that knows what to do about it."""
    return PydanticCustomError(
        "catalogue", "{wrong}", {"wrong": wrong, "remedy": remedy}
    )


def _parse_seconds(value: object) -> int:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise fault(
            f"{show(value)} is not a duration", "write one like 90s, 30m, 24h or 7d"
        )
    return int(match[1]) * _UNIT_SECONDS[match[2]]


def _parse_hours(value: object) -> int:
    seconds = _parse_seconds(value)
    if seconds == 0 or seconds % HOUR_SECONDS:
        raise fault(
            f"{show(value)} is not a whole number of hours",
            "write one like 24h or 7d",
        )
    return seconds // HOUR_SECONDS


def _parse_basis_points(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault(f"{show(value)} is not a ratio", "write one like 0.90")
    # The shortest text of the float is what stands in the file, so nothing is
    # rounded on the way to whole basis points.
    points = Decimal(str(value)) * _WHOLE_BP
    is_whole = points.is_finite() and points == int(points)
    if not (is_whole and 0 < points <= _WHOLE_BP):
        raise fault(
            f"{show(value)} is not above 0 and at most 1 with up to four decimals",
            "write a ratio like 0.90",
        )
    return int(points)


def _check_timezone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise fault(
            f"time zone {show(value)} is unknown",
            "give an IANA name like Asia/Ho_Chi_Minh",
        ) from error
    return value


def _refuse_empty_key(value: str) -> str:
    if value == _SHA256_OF_NOTHING:
        raise fault("it is the hash of no text at all", "hash the key itself")
    return value


Text = Annotated[str, Field(min_length=1, max_length=500)]
IndicatorId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
IndicatorIdOrAll = Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9_]{0,63})$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
TypeName = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", max_length=128)
]
# A segment may not start with a dot, so that no path climbs.
Source = Annotated[
    str, Field(pattern=r"^(/[A-Za-z0-9~_-][A-Za-z0-9._~-]*)+$", max_length=200)
]
KeyHash = Annotated[
    str, Field(pattern=r"^[0-9a-f]{64}$"), AfterValidator(_refuse_empty_key)
]
Value = Annotated[int, Field(ge=0, le=_VALUE_MAX)]
Seconds = Annotated[int, BeforeValidator(_parse_seconds)]
Hours = Annotated[int, BeforeValidator(_parse_hours)]
BasisPoints = Annotated[int, BeforeValidator(_parse_basis_points)]


class Shape(BaseModel):
    """Base of what a file may hold; strict, since YAML guesses types."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class CatalogueShape(Shape):
    """`catalogue.yaml`."""

    name: Text
    timezone: Annotated[str, AfterValidator(_check_timezone)]
    window_days: Annotated[int, Field(ge=1, le=400)] = 62


class IndicatorShape(Shape):
    """One entry of `indicators.yaml`."""

    id: IndicatorId
    name: Text
    name_vi: Text
    measure: Annotated[Measure, Field(strict=False)]
    amount: bool = False
    unit: Text
    source: Text


class EventTypeShape(Shape):
    """One entry of `event_types.yaml`."""

    type: TypeName
    effect: Annotated[Effect, Field(strict=False)]
    indicator: IndicatorId | None = None
    sign: Literal[1, -1] | None = None
    amount_only: bool = False


class AgencyKeyShape(Shape):
    """One key of an agency; what it is bound to is left out where that is all."""

    id: Slug
    sha256: KeyHash
    last_day: dt.date | None = None
    sources: Annotated[list[Source] | None, Field(min_length=1)] = None
    indicators: Annotated[list[IndicatorId] | None, Field(min_length=1)] = None
    locality: Text | None = None


class AgencyLimitsShape(Shape):
    """What an agency may send; what is left out is as the settings say."""

    events_per_second: Annotated[int | None, Field(ge=1, le=_RATE_MAX)] = None
    burst_events: Annotated[int | None, Field(ge=1, le=_BURST_MAX)] = None
    body_bytes: Annotated[int | None, Field(ge=1024)] = None


class AgencyShape(Shape):
    """One file under `agencies/`."""

    id: Slug
    name: Text
    sources: Annotated[list[Source], Field(min_length=1)]
    indicators: Annotated[list[IndicatorIdOrAll], Field(min_length=1)]
    locality: Text
    kafka: bool = False
    keys: Annotated[list[AgencyKeyShape], Field(max_length=2)]
    cadence: Hours | None = None
    cadences: dict[IndicatorId, Hours] = Field(default_factory=dict)
    required: bool = False
    limits: AgencyLimitsShape = AgencyLimitsShape()
