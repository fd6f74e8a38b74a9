"""Ids of rows that bring none: a file sent again gets the same, equal rows differ."""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from services.cli.send_files import FileProblemError

# Changes when the content or its spelling changes: ids of another version would
# make a file that is sent again count twice.
ID_PREFIX: Final = "row1-"
ID_HEX_DIGITS: Final = 40
CACHE_KIB: Final = 32 * 1024

_COUNT: Final = """
INSERT INTO seen (hash, file, ordinal, earlier) VALUES (?, ?, 1, 0)
ON CONFLICT (hash) DO UPDATE SET
    earlier = CASE
        WHEN file = excluded.file THEN earlier
        ELSE max(earlier, ordinal)
    END,
    ordinal = CASE WHEN file = excluded.file THEN ordinal + 1 ELSE 1 END,
    file = excluded.file
RETURNING ordinal, ordinal <= earlier
"""


def make_id(content: Sequence[object], ordinal: int, again: int = 0) -> str:
    """Return the id of a row that brings none.

    Args:
        content: What is sent of it.
        ordinal: The how many-th of its file with this content, from 1.
        again: How often this row was undone before; an undone id counts no more.
    """
    parts = [*content, ordinal, again] if again else [*content, ordinal]
    digest = hashlib.sha256(_canonical(parts)).hexdigest()
    return f"{ID_PREFIX}{digest[:ID_HEX_DIGITS]}"


def _canonical(value: Sequence[object]) -> bytes:
    return json.dumps(list(value), separators=(",", ":")).encode("ascii")


class OrdinalCounter:
    """Counts equal rows, file by file.

    Keeps 64 bits of each distinct content's SHA-256 and three small integers in a
    private temporary database that SQLite holds in at most 32 MiB of memory and
    spills to the temporary folder beyond: some 30 bytes a distinct row, so a file of
    any length fits. Should two contents share those 64 bits, one of them gets
    ordinal 2 instead of 1; its id is still its own and still the same next time.
    """

    def __init__(self) -> None:
        self._file = 0
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        # Nothing in it outlives this process.
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE seen (hash INTEGER PRIMARY KEY, file INTEGER NOT NULL,"
            " ordinal INTEGER NOT NULL, earlier INTEGER NOT NULL)"
        )
        self._database.execute("BEGIN")

    def begin_file(self) -> None:
        """Count from 1 again, remembering what files before this one held."""
        self._file += 1

    def count(self, content: Sequence[object]) -> tuple[int, bool]:
        """Count a row.

        Returns:
            Its ordinal among equal rows of the file, from 1; and whether a file
            before this one had as many of them, so that the ids are the same.

        Raises:
            FileProblemError: The temporary folder is full.
        """
        digest = hashlib.sha256(_canonical(content)).digest()
        key = int.from_bytes(digest[:8], "big", signed=True)
        try:
            row = self._database.execute(_COUNT, (key, self._file)).fetchone()
        except sqlite3.OperationalError as error:
            raise FileProblemError(
                f"rows cannot be counted in the temporary folder: {error}; make room, "
                "or name a column of ids by --id"
            ) from error
        return int(row[0]), bool(row[1])

    def close(self) -> None:
        """Forget everything."""
        self._database.close()

    def __enter__(self) -> Self:
        """Use it for one command."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget everything."""
        self.close()
