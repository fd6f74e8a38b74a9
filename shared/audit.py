"""A log line for each refused attempt, and no more lines than a disk can bear.

A line says who claims to be whom, from where, and why that was refused. It never holds
a key or a part of one, and nothing that was sent: agencies, readers and keys are named
as their files name them. Every door that asks for a key writes the same line.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from throttled.rate_limiter import per_duration
from throttled.rate_limiter.gcra import GCRARateLimiter
from throttled.store import MemoryStore

from shared.metrics import DoorMetrics

SUMMARY_SECONDS: Final = 60.0
# More agencies and readers than there are; beyond it the one that has been silent
# longest is forgotten, and may have its lines anew.
BUDGETS_MAX: Final = 20_000
CLIENT_LENGTH_MAX: Final = 64
_NOBODY: Final = "nobody"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried and refused.

    Attributes:
        status: With which it was answered.
        reason: One of a fixed few words.
        client: The address it came from.
        agency: Whose key it was; None where it was nobody's.
        key: The key's name for people.
        claimed: Agencies in whose name it was tried, by their ids.
        codes: Why its events or questions were refused, with how many.
        reader: Whose key it was, where it was a reader's.
    """

    status: int
    reason: str
    client: str
    agency: str | None = None
    key: str | None = None
    claimed: Sequence[str] = ()
    codes: tuple[tuple[str, int], ...] = ()
    reader: str | None = None

    @property
    def budget(self) -> str:
        """Whose lines it takes; a reader may have the id of an agency."""
        if self.agency is not None:
            return f"agency:{self.agency}"
        return _NOBODY if self.reader is None else f"reader:{self.reader}"


class AuditLog:
    """Writes refused attempts, each budget apart.

    Attempts without a valid key share one budget, each agency and each reader has one
    of its own: a flood of bad keys hides nobody who has a key and misuses it.
    """

    def __init__(self, *, lines_per_minute: int, metrics: DoorMetrics) -> None:
        """Take a bound.

        Args:
            lines_per_minute: For each budget; as many may come at once.
            metrics: Count what has no line.
        """
        self._metrics = metrics
        self._suppressed: Counter[str] = Counter()
        self._limiter = GCRARateLimiter(
            per_duration(timedelta(minutes=1), lines_per_minute, lines_per_minute),
            MemoryStore(options={"MAX_SIZE": BUDGETS_MAX}),
        )

    def note(self, attempt: Attempt) -> None:
        """Write an attempt, or count it where its budget is used up."""
        if self._limiter.limit(attempt.budget).limited:
            self._suppressed[attempt.reason] += 1
            self._metrics.audit_suppressed.labels(attempt.reason).inc()
            return
        _log.warning(
            "attempt_refused",
            extra={
                "status": attempt.status,
                "reason": attempt.reason,
                "client": attempt.client,
                "agency": attempt.agency,
                "reader": attempt.reader,
                "key": attempt.key,
                "claimed": list(attempt.claimed),
                "codes": dict(attempt.codes),
            },
        )

    def say_suppressed(self) -> None:
        """Say how many attempts had no line since this was last said, if any had."""
        if not self._suppressed:
            return
        _log.warning(
            "attempts_suppressed",
            extra={
                "count": self._suppressed.total(),
                "reasons": dict(self._suppressed),
            },
        )
        self._suppressed.clear()

    async def run(self) -> None:
        """Say it once a minute, and a last time when cancelled."""
        try:
            while True:
                await asyncio.sleep(SUMMARY_SECONDS)
                self.say_suppressed()
        finally:
            self.say_suppressed()


def client_of(request: Request) -> str:
    """Name where a request comes from; not by a header, which anyone can write."""
    client = request.client
    return "unknown" if client is None else client.host[:CLIENT_LENGTH_MAX]
