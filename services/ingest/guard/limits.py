"""How much an agency may send: events a second with a burst, counted in this process.

The counting is `throttled-py`'s (GCRA); here is only which limits an agency has. Every
process counts for itself, so with n processes behind a balancer an agency may send up
to n times as much (ADR 0017).
"""

import math
from datetime import timedelta
from functools import lru_cache
from typing import Final

from throttled.rate_limiter import per_duration
from throttled.rate_limiter.gcra import GCRARateLimiter
from throttled.store import MemoryStore

from shared.catalogue.model import Agency

# More agencies than any catalogue has; beyond it the one that has been silent longest
# is forgotten, and may send its burst.
AGENCIES_MAX: Final = 10_000
_LIMITERS_MAX: Final = 256
# Asking the library costs as much as deciding on an event, so events are taken from it
# a few ahead: as many, and at most so great a part of a burst.
_AHEAD_EVENTS: Final = 100
_AHEAD_PART: Final = 100
# The library takes whole numbers a period.
_PERIOD_SECONDS: Final = 1_000


class AgencyRates:
    """What each agency has left to send."""

    def __init__(self, *, events_per_second: float, burst_events: int) -> None:
        """Take limits for agencies that have none of their own.

        Args:
            events_per_second: In the long run.
            burst_events: At once, after a while of silence.
        """
        self._events_per_second = events_per_second
        self._burst_events = burst_events
        store = MemoryStore(options={"MAX_SIZE": AGENCIES_MAX})

        @lru_cache(maxsize=_LIMITERS_MAX)
        def limiter(per_second: float, burst: int) -> GCRARateLimiter:
            events = max(1, round(per_second * _PERIOD_SECONDS))
            period = timedelta(seconds=_PERIOD_SECONDS)
            return GCRARateLimiter(per_duration(period, events, burst), store)

        self._limiter = limiter
        # Taken ahead of the events that will use them, by agency.
        self._in_hand: dict[str, int] = {}

    def burst_of(self, agency: Agency) -> int:
        """Return the most events that an agency can send at once."""
        return agency.limits.burst_events or self._burst_events

    def rate_of(self, agency: Agency) -> float:
        """Return how many events a second an agency may send in the long run."""
        return agency.limits.events_per_second or self._events_per_second

    def take(self, agency: Agency, events: int) -> float:
        """Let an agency send so many events, or none of them.

        Args:
            agency: Its id is what is counted by, whichever of its keys it uses.
            events: At most `burst_of` the agency; more would never be let through.
                After a silence it may be one in a hundred more, taken ahead before.

        Returns:
            0 if they are let through, else the seconds after which they would be.
        """
        in_hand = self._in_hand.get(agency.id, 0)
        if events <= in_hand:
            self._in_hand[agency.id] = in_hand - events
            return 0.0
        limiter = self._limiter_of(agency)
        ahead = min(_AHEAD_EVENTS, self.burst_of(agency) // _AHEAD_PART)
        if ahead and not limiter.limit(agency.id, events - in_hand + ahead).limited:
            self._hold(agency, ahead)
            return 0.0
        result = limiter.limit(agency.id, events - in_hand)
        if result.limited:
            return result.state.retry_after
        self._hold(agency, 0)
        return 0.0

    def take_some(self, agency: Agency, events: int) -> tuple[int, float]:
        """Let an agency send as many of some events as it may by now.

        Args:
            agency: As above.
            events: Any number.

        Returns:
            How many are let through; and 0 if that is all, else the seconds after
            which what it may send in a second would be, or the rest if that is less.
        """
        limiter = self._limiter_of(agency)
        at_a_time = min(max(1, math.ceil(self.rate_of(agency))), self.burst_of(agency))
        taken = min(events, self._in_hand.get(agency.id, 0))
        if taken:
            self._hold(agency, self._in_hand[agency.id] - taken)
        while taken < events:
            ready = limiter.peek(agency.id).remaining
            part = min(events - taken, ready or at_a_time)
            result = limiter.limit(agency.id, part)
            if result.limited:
                return taken, result.state.retry_after
            taken += part
        return taken, 0.0

    def _hold(self, agency: Agency, events: int) -> None:
        """Keep events in hand; with too many agencies all is let go of."""
        if len(self._in_hand) >= AGENCIES_MAX:
            self._in_hand.clear()
        self._in_hand[agency.id] = events

    def _limiter_of(self, agency: Agency) -> GCRARateLimiter:
        return self._limiter(self.rate_of(agency), self.burst_of(agency))
