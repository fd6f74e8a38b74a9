"""CloudEvents for tests, as an agency would send them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clock import SystemClock

HOANG_LOC = "15961"
"""A commune of Thanh Hóa (province 38)."""
THANH_HOA = "38"
CAO_BANG = "04"
"""Another province."""


def now() -> datetime:
    """Return the current instant."""
    return SystemClock().now().astimezone(UTC)


def event(
    type_: str = "uptake.cashless.opened",
    *,
    id_: str | None = None,
    source: str = "/test/bank",
    at: datetime | None = None,
    **data: object,
) -> dict[str, Any]:
    """Build a structured CloudEvent; further arguments become members of `data`."""
    instant = at or now() - timedelta(seconds=5)
    return {
        "specversion": "1.0",
        "id": id_ or uuid.uuid4().hex,
        "source": source,
        "type": type_,
        "time": instant.isoformat(),
        "data": data,
    }


def opened(
    count: int = 1, *, locality: str = HOANG_LOC, at: datetime | None = None
) -> dict[str, Any]:
    """Build an event that opens cashless accounts, at a commune of Thanh Hóa."""
    return event(at=at, locality=locality, count=count)


def reversal(original: dict[str, Any]) -> dict[str, Any]:
    """Build the reversal of an event."""
    return event(
        "uptake.event.reversed",
        source=original["source"],
        id=original["id"],
        time=original["time"],
    )
