"""Keeps the readers and their keys as their file says, while the board runs."""

import hashlib
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from services.board.core.callers import Caller
from shared.catalogue.keys import Denied, Held, KeyTable, make_mark
from shared.catalogue.model import Agency
from shared.clock import Clock
from shared.errors import CatalogueError
from shared.followed import Followed, Source
from shared.metrics import ReloadMetrics
from shared.readers import Reader, load_readers

_log = logging.getLogger(__name__)


class ReaderWatch:
    """The readers of a file, read again when it changes; or none without a file."""

    def __init__(
        self,
        clock: Clock,
        *,
        zone: ZoneInfo,
        agencies: Callable[[], Iterable[Agency]],
    ) -> None:
        """Begin without any reader.

        Args:
            clock: Tells the local day, on which keys expire.
            zone: In which days are local.
            agencies: Those of now, whose keys no reader may have.
        """
        self._clock = clock
        self._zone = zone
        self._agencies = agencies
        self._mark = make_mark(secrets.token_bytes(32))
        self._readers: tuple[Reader, ...] = ()
        self._table: KeyTable[Caller] = KeyTable((), self._mark)
        self._files: Followed[tuple[Reader, ...]] | None = None

    def follow(
        self, path: Path, *, metrics: ReloadMetrics, poll_seconds: float
    ) -> None:
        """Take the readers of a file, and follow it from here on.

        Raises:
            CatalogueError: It is wrong.
        """
        self.take(self._load(path))
        self._files = Followed(
            Source(
                "readers_not_reloaded",
                str(path),
                fingerprint=lambda: self._fingerprint(path),
                load=lambda: self._load(path),
                take=self.take,
            ),
            self._clock,
            metrics=metrics,
            poll_seconds=poll_seconds,
        )

    def find(self, presented: str) -> Caller | Denied:
        """Find whose key it is, now."""
        day = self._clock.now().astimezone(self._zone).date()
        return self._table.find(presented, day)

    async def run(self) -> None:
        """Follow the file for ever; no state of it ends it."""
        if self._files is not None:
            await self._files.run()

    async def look(self) -> None:
        """Look at the file once; what is wrong leaves everything as it was."""
        if self._files is not None:
            await self._files.look()

    def _load(self, path: Path) -> tuple[Reader, ...]:
        readers = load_readers(path)
        check_apart(readers, self._agencies())
        return readers

    def _fingerprint(self, path: Path) -> bytes:
        """Hash what the readers are and what they are checked against."""
        digest = hashlib.sha256(path.read_bytes())
        for sha256 in sorted(_owners(self._agencies())):
            digest.update(sha256.encode())
        return digest.digest()

    def take(self, readers: Sequence[Reader]) -> None:
        """Let these readers' keys be the valid ones from the next request on."""
        if tuple(readers) == self._readers:
            return
        self._readers = tuple(readers)
        held = [
            Held(key, reader.id, Caller(reader.id, key.id, agency=None))
            for reader in readers
            for key in reader.keys
        ]
        self._table = KeyTable(held, self._mark)
        _log.info(
            "readers_reloaded", extra={"readers": len(readers), "keys": len(held)}
        )


def check_apart(readers: Iterable[Reader], agencies: Iterable[Agency]) -> None:
    """Refuse a reader with an agency's key: a revoked one would go on reading.

    Raises:
        CatalogueError: It names them.
    """
    owners = _owners(agencies)
    problems = tuple(
        f"reader {reader.id}: has the key of agency {owners[key.sha256]}; "
        "make a new key"
        for reader in readers
        for key in reader.keys
        if key.sha256 in owners
    )
    if problems:
        raise CatalogueError(problems)


def _owners(agencies: Iterable[Agency]) -> dict[str, str]:
    return {key.sha256: agency.id for agency in agencies for key in agency.keys}
