"""Keeps webhooks as their file says, while the service runs."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from services.alerting.core.webhooks import Webhook
from services.alerting.endpoints.file import Endpoint, fingerprint, load_endpoints
from shared.clock import Clock
from shared.followed import Followed, Source
from shared.metrics import ReloadMetrics

_SHOWN_MAX: Final = 20

_log = logging.getLogger(__name__)


class EndpointWatch:
    """The webhooks of a file, read again when it or a file that it names changes.

    Whoever asks is given those of now; what is being sent goes on as it was begun.
    """

    def __init__(self, endpoints: Sequence[Endpoint] = ()) -> None:
        """Begin with webhooks that were just read; nothing is read, nor followed."""
        self._endpoints = tuple(endpoints)
        self._files: Followed[tuple[Endpoint, ...]] | None = None

    def follow(
        self, path: Path, clock: Clock, *, metrics: ReloadMetrics, poll_seconds: float
    ) -> None:
        """Follow the file that the webhooks were read from.

        Args:
            path: The file.
            clock: Says when it was last right.
            metrics: Say whether it is.
            poll_seconds: Between two looks.
        """
        self._files = Followed(
            Source(
                "webhooks_not_reloaded",
                str(path),
                fingerprint=lambda: fingerprint(path),
                load=lambda: load_endpoints(path),
                take=self._take,
            ),
            clock,
            metrics=metrics,
            poll_seconds=poll_seconds,
        )

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Return where webhooks lead, by their ids, in the order of the file."""
        return {each.webhook.id: each for each in self._endpoints}

    def webhooks(self) -> tuple[Webhook, ...]:
        """Return who is told of what."""
        return tuple(each.webhook for each in self._endpoints)

    async def run(self) -> None:
        """Follow the file for ever; no state of it ends it."""
        if self._files is not None:
            await self._files.run()

    async def look(self) -> None:
        """Look at the file once; what is wrong leaves everything as it was."""
        if self._files is not None:
            await self._files.look()

    def _take(self, endpoints: tuple[Endpoint, ...]) -> None:
        old, self._endpoints = self.endpoints(), endpoints
        new = self.endpoints()
        if old == new:
            return
        both = new.keys() & old.keys()
        _log.info(
            "webhooks_reloaded",
            extra={
                "webhooks": len(new),
                "added": sorted(new.keys() - old.keys())[:_SHOWN_MAX],
                "removed": sorted(old.keys() - new.keys())[:_SHOWN_MAX],
                "changed": sorted(each for each in both if new[each] != old[each])[
                    :_SHOWN_MAX
                ],
            },
        )
