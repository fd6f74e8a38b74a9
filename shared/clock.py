"""The one place that reads the wall clock."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the current instant; shells receive one, decisions receive instants."""

    def now(self) -> datetime:
        """Return the current instant, aware, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's current instant, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 -- the one place that may
