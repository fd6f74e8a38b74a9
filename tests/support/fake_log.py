"""A log within the test: it confirms when the test lets it."""

import asyncio
import json
from collections.abc import Sequence

from typing_extensions import override

from services.ingest.core.admission import Admitted
from services.ingest.publisher import LogPublisher
from services.ingest.settings import IngestSettings
from shared.errors import TransientError


def ids_of(events: Sequence[Admitted | bytes]) -> list[str]:
    """Return the ids of admitted events, some of which are written already."""
    return [
        json.loads(event)["id"] if isinstance(event, bytes) else event.id
        for event in events
    ]


class FakeLog(LogPublisher):
    """Keeps ids in the order in which they were appended.

    Attributes:
        handed: Ids that were handed over, confirmed or not.
        ids: Ids that are durable.
        is_open: Cleared, nothing is confirmed until it is set again.
        failing_after: When so many are durable, nothing more is confirmed.
    """

    def __init__(self, settings: IngestSettings) -> None:
        super().__init__(settings, ack_timeout_seconds=1)
        self.handed: list[str] = []
        self.ids: list[str] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.failing_after: int | None = None

    @override
    async def append(self, agency: str, events: Sequence[Admitted | bytes]) -> None:
        """Confirm, wait or fail, as the test wants it."""
        self.handed += ids_of(events)
        await self.is_open.wait()
        if self.failing_after is not None and len(self.ids) >= self.failing_after:
            raise TransientError("kafka did not confirm: the test says so")
        self.ids += ids_of(events)
