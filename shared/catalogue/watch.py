"""Keeps the agencies and their keys as the files say, while a service runs.

A key that is taken away is refused, and a new one taken, within `poll_seconds` and the
time of reading.
"""

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
from shared.followed import Followed, Source
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
        self._clock = clock
        self._zone = ZoneInfo(catalogue.timezone)
        self._mark = make_mark(secrets.token_bytes(32))
        self.catalogue = catalogue
        self._ring = KeyRing(catalogue.agencies.values(), self._mark)
        self._files = Followed(
            Source(
                "agencies_not_reloaded",
                str(directory),
                fingerprint=lambda: _fingerprint(directory),
                load=lambda: load_agencies(directory),
                take=self._take,
            ),
            clock,
            metrics=metrics,
            poll_seconds=poll_seconds,
        )

    def find(self, presented: str) -> Bearer | Denied:
        """Find whose key it is, now."""
        day = self._clock.now().astimezone(self._zone).date()
        return self._ring.find(presented, day)

    async def run(self) -> None:
        """Follow the files for ever; no state of theirs ends it."""
        await self._files.run()

    async def look(self) -> None:
        """Look at the files once; what is wrong leaves everything as it was."""
        await self._files.look()

    def _take(self, agencies: Mapping[str, Agency]) -> None:
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
