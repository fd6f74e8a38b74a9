"""Stands at the board's door: whose key, and a line about whoever is turned away."""

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

from services.board.core.callers import Caller, NotYoursError
from services.board.guard.readers import ReaderWatch
from shared.audit import Attempt, AuditLog, client_of
from shared.catalogue.keys import Bearer, Denied, KeyDenial, presented_key
from shared.catalogue.model import Catalogue
from shared.catalogue.watch import AgencyWatch
from shared.metrics import BoardMetrics

CLAIMED_MAX: Final = 5


class DeniedError(Exception):
    """Whoever knocks has no valid key.

    Attributes:
        reason: Why not.
    """

    def __init__(self, reason: KeyDenial) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Guard:
    """Lets agencies and readers through by their keys, as the files say now.

    Attributes:
        audit: Where a line is written about whoever is turned away.
    """

    def __init__(
        self,
        agencies: AgencyWatch,
        readers: ReaderWatch,
        metrics: BoardMetrics,
        *,
        audit_lines_per_minute: int,
    ) -> None:
        self._agencies = agencies
        self._readers = readers
        self._metrics = metrics
        self.audit = AuditLog(lines_per_minute=audit_lines_per_minute, metrics=metrics)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue with the agencies as their files say now."""
        return self._agencies.catalogue

    async def run(self) -> None:
        """Follow the files with keys, and say what the audit left out, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._agencies.run())
            group.create_task(self._readers.run())
            group.create_task(self.audit.run())

    def admit(self, request: Request) -> Caller:
        """Tell who knocks, now; before anything else of the request is looked at.

        Raises:
            DeniedError: Nobody with a valid key; it has been written down.
        """
        presented = presented_key(request.headers.getlist("authorization"))
        if isinstance(presented, KeyDenial):
            raise self._deny(request, Denied(presented))
        agency = self._agencies.find(presented)
        if isinstance(agency, Bearer):
            return Caller(agency.agency.id, agency.key_id, agency.agency)
        if agency.owner_id is not None:
            raise self._deny(request, agency, agency=agency.owner_id)
        reader = self._readers.find(presented)
        if isinstance(reader, Denied):
            raise self._deny(request, reader, reader=reader.owner_id)
        return reader

    def note_not_yours(
        self, request: Request, caller: Caller, error: NotYoursError
    ) -> None:
        """Write a line about a valid key that asked for more than it opens."""
        is_agency = caller.agency is not None
        self.audit.note(
            Attempt(
                status=403,
                reason="not_yours",
                client=client_of(request),
                agency=caller.owner_id if is_agency else None,
                reader=None if is_agency else caller.owner_id,
                key=caller.key_id,
                claimed=self._owners(error.sources),
                codes=((error.beyond.value, max(1, len(error.sources))),),
            )
        )

    def _owners(self, sources: Sequence[str]) -> list[str]:
        """Name the agencies whose sources were asked for, a few of them."""
        catalogue = self.catalogue
        found = {catalogue.agency_for_source(source) for source in sources}
        return sorted(each.id for each in found if each is not None)[:CLAIMED_MAX]

    def _deny(
        self,
        request: Request,
        denied: Denied,
        *,
        agency: str | None = None,
        reader: str | None = None,
    ) -> DeniedError:
        self._metrics.denied.labels(denied.reason.value).inc()
        self.audit.note(
            Attempt(
                status=401,
                reason=denied.reason.value,
                client=client_of(request),
                agency=agency,
                reader=reader,
                key=denied.key_id,
            )
        )
        return DeniedError(denied.reason)
