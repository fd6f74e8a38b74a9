"""Keeps the agencies and their keys as the files say, while a service runs.

The files are compared by what they hold, not by their times: a mounted ConfigMap, a
copy that keeps times and a clock that was set all look alike then. A key that is taken
away is refused, and a new one taken, within `poll_seconds` and the time of reading.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from shared.catalogue.files import Problems, list_folder
from shared.catalogue.keys import Bearer, Denied, KeyRing, make_mark
from shared.catalogue.load import load_agencies
from shared.catalogue.model import Agency, Catalogue
from shared.clock import Clock
from shared.errors import CatalogueError
from shared.metrics import AgencyMetrics

# What agencies are checked against.
_BESIDE: Final = ("indicators.yaml", "localities.csv")
_SHOWN_MAX: Final = 20

_log = logging.getLogger(__name__)


class AgencyWatch:
    """The agencies of a catalogue, read again when their files change.

    Everything else of the catalogue stays as it was at the start (ADR 0017).
    """

    def __init__(
        self,
        directory: Path,
        catalogue: Catalogue,
        clock: Clock,
        *,
        metrics: AgencyMetrics,
        poll_seconds: float,
    ) -> None:
        """Begin with a catalogue that was just loaded; nothing is read.

        Args:
            directory: Where it was loaded from.
            catalogue: What was loaded.
            clock: Tells the local day, on which keys expire.
            metrics: Say whether the files are right.
            poll_seconds: Between two looks at the files.
        """
        self._directory = directory
        self._clock = clock
        self._metrics = metrics
        self._poll_seconds = poll_seconds
        self._zone = ZoneInfo(catalogue.timezone)
        self._mark = make_mark(secrets.token_bytes(32))
        # Unknown, so that the first look reads the files: between the loading and
        # now they may have changed.
        self._seen: bytes | None = None
        self._told: tuple[str, ...] = ()
        self.catalogue = catalogue
        self._ring = KeyRing(catalogue.agencies.values(), self._mark)
        self._note_success()

    def find(self, presented: str) -> Bearer | Denied:
        """Find whose key it is, now."""
        day = self._clock.now().astimezone(self._zone).date()
        return self._ring.find(presented, day)

    async def run(self) -> None:
        """Look at the files for ever; no state of theirs ends it."""
        while True:
            await self.look()
            await asyncio.sleep(self._poll_seconds)

    async def look(self) -> None:
        """Look at the files once; what is wrong leaves everything as it was."""
        try:
            seen = await asyncio.to_thread(_fingerprint, self._directory)
            if seen == self._seen:
                return
            # Taken before the files are read: what changes in between is seen as a
            # change by the next look.
            agencies = await asyncio.to_thread(load_agencies, self._directory)
        except CatalogueError as error:
            self._note_failure(error.problems)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            self._note_failure((f"{self._directory}: {reason}",))
        else:
            self._take(agencies)
            self._seen = seen

    def _take(self, agencies: Mapping[str, Agency]) -> None:
        self._note_success()
        before = self.catalogue.agencies
        if agencies == before:
            return
        self._ring = KeyRing(agencies.values(), self._mark)
        self.catalogue = replace(self.catalogue, agencies=agencies)
        old, new = _key_names(before.values()), _key_names(agencies.values())
        _log.info(
            "agencies_reloaded",
            extra={
                "agencies": len(agencies),
                "keys": len(new),
                "keys_added": sorted(new - old)[:_SHOWN_MAX],
                "keys_removed": sorted(old - new)[:_SHOWN_MAX],
            },
        )

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
            "agencies_not_reloaded",
            extra={
                "count": len(problems),
                "problems": problems[:_SHOWN_MAX],
                "kept": "the agencies and keys that were valid before",
            },
        )


def _key_names(agencies: Iterable[Agency]) -> set[str]:
    return {f"{agency.id}/{key.id}" for agency in agencies for key in agency.keys}


def _fingerprint(directory: Path) -> bytes:
    """Hash what agencies are made of.

    Raises:
        OSError: A file cannot be read.
    """
    digest = hashlib.sha256()
    for name in (*_BESIDE, *list_folder(directory, "agencies", Problems())):
        content = (directory / name).read_bytes()
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.digest()
