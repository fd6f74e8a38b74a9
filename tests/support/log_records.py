"""Records of the log for tests, as aggregation's decisions see them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from services.aggregation.core.record import Effect, LogRecord

NINE = datetime(2026, 11, 21, 2, tzinfo=UTC)
"""09:00 in Vietnam."""
TODAY = date(2026, 11, 21)
REFORM = date(2025, 7, 1)
LOGGED_AT = datetime(2026, 11, 21, 3, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SentData:
    """Data of an event, with every member."""

    count: int = 0
    amount: int = 0
    day: date | None = None
    id: str | None = None
    source: str | None = None
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """An admitted event, with every attribute; `effect` decides which ones count."""

    id: str
    data: SentData
    source: str = "/bank"
    type: str = "opened"
    time: datetime = NINE
    agency: str = "bank"
    effect: Effect = "count"
    indicator: str | None = "accounts"
    sign: int = 1
    locality: str | None = "15961"
    validfrom: date | None = REFORM
    localday: date = TODAY


def counted(id_: str, count: int = 1, amount: int = 0, **changes: object) -> Sent:
    """Make an event that adds to a total; `changes` are attributes."""
    return _changed(Sent(id_, SentData(count=count, amount=amount)), changes)


def closed(id_: str, count: int = 1) -> Sent:
    """Make an event that takes from a total."""
    return counted(id_, count, type="closed", sign=-1)


def refunded(id_: str, amount: int) -> Sent:
    """Make an event that takes back an amount and no count."""
    return counted(id_, 1, amount, type="refunded", sign=-1, effect="amount")


def stated(id_: str, level: int, day: date = TODAY, **changes: object) -> Sent:
    """Make a statement of a level."""
    sent = Sent(id_, SentData(count=level, day=day), type="stated", effect="state")
    return _changed(sent, {"sign": 0, **changes})


def control(id_: str, claimed: int, day: date = TODAY, **changes: object) -> Sent:
    """Make a control."""
    sent = Sent(id_, SentData(count=claimed, day=day), type="control", effect="control")
    return _changed(sent, {"sign": 0, "locality": None, "validfrom": None, **changes})


def reversal(id_: str, original: Sent, **changes: object) -> Sent:
    """Make the reversal of an event or statement."""
    data = SentData(id=original.id, source=original.source, time=original.time)
    sent = Sent(
        id_, data, source=original.source, agency=original.agency, type="reversed"
    )
    bare = {"effect": "reverse", "sign": 0, "indicator": None}
    return _changed(sent, {**bare, "locality": None, "validfrom": None, **changes})


def _changed(sent: Sent, changes: dict[str, Any]) -> Sent:
    return replace(sent, **changes)


def log(
    entries: Iterable[Sent | None], *, partition: int = 0, first_offset: int = 0
) -> list[LogRecord]:
    """Put events into a partition's log, one a second; None is no event at all."""
    return [
        LogRecord(partition, offset, LOGGED_AT + timedelta(seconds=offset), entry)
        for offset, entry in enumerate(entries, start=first_offset)
    ]
