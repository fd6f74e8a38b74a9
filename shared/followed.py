"""Files that are read again, while a service runs, when what they hold has changed.

Files are compared by what they hold, not by their times: a mounted ConfigMap, a copy
that keeps times and a clock that was set all look alike then.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from shared.clock import Clock
from shared.errors import CatalogueError
from shared.metrics import ReloadMetrics

_SHOWN_MAX: Final = 20

LoadedT = TypeVar("LoadedT")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source(Generic[LoadedT]):
    """What is followed.

    Attributes:
        failure_event: Of the log line about wrong files.
        place: Where it lies, for people.
        fingerprint: Hashes what the files hold; raises OSError where one cannot be
            read, CatalogueError where that cannot be told. Called in a thread.
        load: Reads and checks the files; raises CatalogueError, or OSError, where
            anything is wrong. Called in a thread.
        take: Lets what was read be in force.
    """

    failure_event: str
    place: str
    fingerprint: Callable[[], bytes]
    load: Callable[[], LoadedT]
    take: Callable[[LoadedT], None]


class Followed(Generic[LoadedT]):
    """Looks at files again and again; wrong ones leave everything as it was."""

    def __init__(
        self,
        source: Source[LoadedT],
        clock: Clock,
        *,
        metrics: ReloadMetrics,
        poll_seconds: float,
    ) -> None:
        """Begin with files that were just read and right; nothing is read.

        Args:
            source: What is followed.
            clock: Says when the files were last right.
            metrics: Say whether they are.
            poll_seconds: Between two looks.
        """
        self._source = source
        self._clock = clock
        self._metrics = metrics
        self._poll_seconds = poll_seconds
        # Unknown, so that the first look reads the files: between the loading and
        # now they may have changed.
        self._seen: bytes | None = None
        self._told: tuple[str, ...] = ()
        self._note_success()

    async def run(self) -> None:
        """Look at the files for ever; no state of theirs ends it."""
        while True:
            await self.look()
            # The interval: watchers of files are blind on network mounts (ADR 0017).
            await asyncio.sleep(self._poll_seconds)

    async def look(self) -> None:
        """Look at the files once; what is wrong leaves everything as it was."""
        source = self._source
        try:
            seen = await asyncio.to_thread(source.fingerprint)
            if seen == self._seen:
                return
            # Taken before the files are read: what changes in between is seen as a
            # change by the next look.
            loaded = await asyncio.to_thread(source.load)
        except CatalogueError as error:
            self._note_failure(error.problems)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            self._note_failure((f"{source.place}: {reason}",))
        else:
            self._note_success()
            source.take(loaded)
            self._seen = seen

    def _note_success(self) -> None:
        self._told = ()
        self._metrics.reload_successful.set(1)
        self._metrics.reload_success_timestamp.set(self._clock.now().timestamp())

    def _note_failure(self, problems: tuple[str, ...]) -> None:
        # Read again at the next look, be there a change or not: a mount that was half
        # switched over shows the same names with other contents.
        self._seen = None
        self._metrics.reload_successful.set(0)
        if problems == self._told:
            return
        self._told = problems
        _log.warning(
            self._source.failure_event,
            extra={
                "count": len(problems),
                "problems": problems[:_SHOWN_MAX],
                "kept": "what was valid before, keys included",
            },
        )
