"""Stands at the door: whose key, how much, and a line about whoever is turned away."""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.requests import Request

from services.ingest.core.receipt import FORBIDDEN, Decided
from services.ingest.guard.limits import AgencyRates
from services.ingest.settings import IngestSettings
from services.ingest.wire.problems import ProblemError
from shared.audit import Attempt, AuditLog, client_of
from shared.catalogue.keys import (
    WHAT_IS_WRONG,
    Bearer,
    Denied,
    KeyDenial,
    presented_key,
)
from shared.catalogue.model import Catalogue
from shared.catalogue.watch import AgencyWatch
from shared.metrics import IngestMetrics

CLAIMED_MAX: Final = 5


class Guard:
    """Lets agencies through by their keys, as much as each may send.

    Attributes:
        audit: Where a line is written about whoever is turned away.
        rates: What each agency has left to send.
    """

    def __init__(
        self, settings: IngestSettings, watch: AgencyWatch, metrics: IngestMetrics
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._metrics = metrics
        self.audit = AuditLog(
            lines_per_minute=settings.audit_lines_per_minute, metrics=metrics
        )
        self.rates = AgencyRates(
            events_per_second=settings.agency_events_per_second,
            burst_events=settings.agency_burst_events,
        )

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue with the agencies as their files say now."""
        return self._watch.catalogue

    async def run(self) -> None:
        """Follow the agencies' files, and say what the audit left out, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch.run())
            group.create_task(self.audit.run())

    def admit(self, request: Request) -> Bearer:
        """Tell who knocks, and count it; before anything of the body is read.

        Raises:
            ProblemError: 401 without a valid key; 429 from an agency that has used
                up what it may send.
        """
        bearer = self.bearer(request)
        # Also a request without any event costs something.
        self.take(request, bearer, 1)
        return bearer

    def bearer(self, request: Request) -> Bearer:
        """Tell whose key it is, now: a long request may outlast its key.

        Raises:
            ProblemError: 401 without a valid key.
        """
        presented = presented_key(request.headers.getlist("authorization"))
        found: Bearer | Denied
        if isinstance(presented, KeyDenial):
            found = Denied(presented)
        else:
            found = self._watch.find(presented)
        if isinstance(found, Denied):
            raise self._deny(request, found)
        return found

    def take(self, request: Request, bearer: Bearer, events: int) -> None:
        """Let an agency send so many more events of a request, or none of them.

        Raises:
            ProblemError: 429 with the seconds to wait; 413 if they are more than it
                could ever send at once.
        """
        if not events:
            return
        agency = bearer.agency
        burst = self.rates.burst_of(agency)
        if events > burst:
            raise ProblemError(
                413,
                "batch-too-long",
                "The batch has too many events",
                f"agency {agency.id} may send {burst:,} events at once",
            )
        wait_seconds = self.rates.take(agency, events)
        if not wait_seconds:
            return
        self._metrics.limited.labels(agency.id).inc()
        self._note(request, 429, "rate", bearer)
        raise ProblemError(
            429,
            "too-many-events",
            "Too many events for now",
            f"agency {agency.id} may send {self.rates.rate_of(agency):,g} events a "
            f"second and {burst:,} at once; nothing was taken, send the same again "
            "after the seconds of Retry-After",
            headers={"retry-after": str(math.ceil(wait_seconds))},
        )

    async def wait(
        self,
        bearer: Bearer,
        events: int,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Let an agency send so many more events of a stream, when it is their time.

        A stream is slowed down instead of refused: its sender cannot send the rest
        later, but waits while nothing is read.

        Args:
            bearer: Who sends.
            events: How many.
            rest: Waits so many seconds; what it raises ends the wait.
        """
        agency = bearer.agency
        while events > 0:
            part = min(events, self.rates.burst_of(agency))
            if wait_seconds := self.rates.take(agency, part):
                await rest(wait_seconds)
            else:
                events -= part

    def body_bytes_max(self, bearer: Bearer) -> int:
        """Return the longest body that an agency may send."""
        own = bearer.agency.limits.body_bytes
        most = self._settings.body_bytes_max
        return most if own is None else min(own, most)

    def note_refused(
        self, request: Request, bearer: Bearer, decided: Decided, status: int
    ) -> None:
        """Write a line if an agency tried what is not its own; once a request.

        Args:
            request: As it came.
            bearer: Whose key it was.
            decided: The decisions on its events.
            status: Of the answer: others of the batch may have been accepted.
        """
        if not decided.refused:
            return
        codes: Counter[str] = Counter()
        claimed: set[str] = set()
        for _, refusal in decided.refused:
            if refusal.code in FORBIDDEN:
                codes[refusal.code.value] += 1
                claimed.update(() if refusal.claimed is None else (refusal.claimed,))
        if codes:
            names = sorted(claimed)[:CLAIMED_MAX]
            self._note(request, status, "not_yours", bearer, claimed=names, codes=codes)

    def _note(
        self,
        request: Request,
        status: int,
        reason: str,
        bearer: Bearer,
        *,
        claimed: Sequence[str] = (),
        codes: Counter[str] | None = None,
    ) -> None:
        self.audit.note(
            Attempt(
                status=status,
                reason=reason,
                client=client_of(request),
                agency=bearer.agency.id,
                key=bearer.key_id,
                claimed=claimed,
                codes=tuple(sorted((codes or {}).items())),
            )
        )

    def _deny(self, request: Request, denied: Denied) -> ProblemError:
        self._metrics.denied.labels(denied.reason.value).inc()
        self.audit.note(
            Attempt(
                status=401,
                reason=denied.reason.value,
                client=client_of(request),
                agency=denied.owner_id,
                key=denied.key_id,
            )
        )
        return ProblemError(
            401,
            "no-valid-key",
            "A valid key is needed",
            f"{WHAT_IS_WRONG[denied.reason]}; send the header Authorization: Bearer "
            "KEY, with a key made by `uptake agency add`",
            headers={"www-authenticate": "Bearer"},
        )
