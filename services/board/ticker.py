"""What the board looks at by the clock: key files that change, and Postgres."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from services.board.core.callers import Caller, KeyRing
from services.board.store import BoardStore, BusyError, NotMigratedError, TooSlowError
from shared.backoff import wait_out
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Agency, Catalogue
from shared.errors import CatalogueError, TransientError
from shared.http import Readiness
from shared.metrics import BoardMetrics
from shared.readers import Reader, load_readers, readers_by_key

CHECK_SECONDS: Final = 2.0
AGENCIES: Final = "agencies"

_log = logging.getLogger(__name__)

Fingerprint = tuple[tuple[str, int, int, int], ...]


def make_callers(
    agencies: Iterable[Agency], readers: Iterable[Reader]
) -> Mapping[str, Caller]:
    """Name who may ask, by the SHA-256 of their keys.

    Raises:
        CatalogueError: A reader has an agency's key.
    """
    callers = {
        key.sha256: Caller(agency, f"agency:{agency.id}")
        for agency in agencies
        for key in agency.keys
    }
    for digest, reader in readers_by_key(readers).items():
        if digest in callers:
            name = callers[digest].name
            line = f"reader {reader.id}: has the key of {name}; make a new key"
            raise CatalogueError((line,))
        callers[digest] = Caller(None, f"reader:{reader.id}")
    return callers


class KeyWatch:
    """Takes over keys that came or went, without a restart."""

    def __init__(self, catalogue: Path, readers: Path | None) -> None:
        """Name the files.

        Args:
            catalogue: The catalogue's directory.
            readers: The file of readers, if there is one.
        """
        self.keys = KeyRing({})
        self._catalogue = catalogue
        self._readers = readers
        self._seen: Fingerprint = ()

    def take_over(self) -> Catalogue:
        """Let the keys that the files hold now be the valid ones.

        Returns:
            The catalogue that they are in.

        Raises:
            CatalogueError: A file is wrong; the keys of before stay valid.
        """
        # Looked at before they are read: what changes in between shows next time.
        seen = self._look()
        catalogue = load_catalogue(self._catalogue)
        readers = () if self._readers is None else load_readers(self._readers)
        self.keys.replace(make_callers(catalogue.agencies.values(), readers))
        self._seen = seen
        return catalogue

    async def run(self, interval_seconds: float, metrics: BoardMetrics) -> None:
        """Look again and again, until cancelled."""
        failed: Fingerprint | None = None
        metrics.keys.set(len(self.keys))
        while True:
            await asyncio.sleep(interval_seconds)
            now = await asyncio.to_thread(self._look)
            if now in (self._seen, failed):
                continue
            try:
                await asyncio.to_thread(self.take_over)
            except CatalogueError as error:
                # A key that was taken away goes on being valid, so this is not small.
                failed = now
                metrics.keys_unreadable.set(1)
                _log.error("keys_not_taken_over", extra={"problems": error.problems})
            else:
                failed = None
                metrics.keys.set(len(self.keys))
                metrics.keys_unreadable.set(0)
                _log.info("keys_taken_over", extra={"keys": len(self.keys)})

    def _look(self) -> Fingerprint:
        """Describe the files that hold keys, so that a change of any shows."""
        folder = self._catalogue / AGENCIES
        try:
            files = sorted(folder.iterdir())
        except OSError:
            # None yet, or going away this very moment: either shows.
            files = []
        # Of a mounted ConfigMap the folder's link changes, and with it every file.
        return tuple(map(_describe, (folder, *files, self._readers or folder)))


def _describe(path: Path) -> tuple[str, int, int, int]:
    try:
        seen = path.stat()
    except OSError:
        return (str(path), 0, 0, 0)
    return (str(path), seen.st_ino, seen.st_mtime_ns, seen.st_size)


async def watch_postgres(store: BoardStore, readiness: Readiness) -> None:
    """Connect, then say again and again whether the views can be read."""
    on_outage = readiness.for_part("postgres")
    await wait_out(
        "open_pool",
        store.open,
        # Connected is not ready: the views have not been looked at.
        on_outage=lambda reason: on_outage(reason or "connected"),
    )
    while True:
        try:
            await store.check()
        except (TransientError, NotMigratedError, TooSlowError) as error:
            on_outage(str(error))
        except BusyError:
            # Others are reading, so it can be read.
            on_outage(None)
        else:
            if "postgres" in readiness.waiting:
                _log.info("ready")
            on_outage(None)
        await asyncio.sleep(CHECK_SECONDS)
