"""Remembers beside a file what was sent of it: for going on, and for undoing.

`sales.csv.sent` is a small SQLite database. A row is noted durably before it is sent
and again once ingest answered, so whatever ends the command, what may have been sent
stands here. Without the note a file can still be sent again, since ids do not come
from here; it can no longer be undone.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import Final

from services.cli.send_files import FileProblemError
from services.cli.send_ids import ID_PREFIX
from shared.postgres.queries import load_queries

SUFFIX: Final = ".sent"
PAGE_ROWS: Final = 1_000
VERSION: Final = 1
# "uptk", so that another program's database is not taken for one of ours.
APPLICATION: Final = 0x7570746B
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ID_BYTES: Final = 20

_SQL: Final = load_queries("services.cli", "sql/send_state.sql")


class Phase(IntEnum):
    """What was last begun with a file, and whether it came to its end."""

    NEW = 0
    SENDING = 1
    SENT = 2
    UNDOING = 3
    UNDONE = 4


class Fate(IntEnum):
    """What is known of a row."""

    BEGUN = 1
    """It may be in the log."""
    ACCEPTED = 2
    REFUSED = 3
    UNDONE = 4


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event that may be in the log.

    Attributes:
        time: Its instant, RFC 3339.
        reverses: Whether it is a reversal itself, which cannot be undone.
    """

    source: str
    id: str
    time: str
    reverses: bool = False


def state_path(path: Path) -> Path:
    """Return where it is remembered what was sent of a file."""
    return path.with_name(path.name + SUFFIX)


class SentState:
    """What was sent of one file to one ingest; for one process at a time."""

    def __init__(self, database: sqlite3.Connection, url: str) -> None:
        self._database = database
        row = database.execute(_SQL["find_door"], (url.rstrip("/"),)).fetchone()
        self._door, self._run = int(row[0]), int(row[2])
        self.phase = Phase(row[1])
        self._sources: dict[str, int] = {
            str(name): int(id_) for id_, name in database.execute(_SQL["list_sources"])
        }
        self._has_undone = self.count(Fate.UNDONE) > 0

    def enter(self, phase: Phase, *, is_new: bool = False) -> None:
        """Note what begins or has come to its end.

        Args:
            phase: What it is.
            is_new: Whether a sending begins, rather than goes on.
        """
        self._run += is_new
        self.phase = phase
        self._database.execute(_SQL["enter_phase"], (phase, self._run, self._door))

    @property
    def begun_at(self) -> datetime | None:
        """When the sending began, by the clock of the board; None if not known."""
        row = self._database.execute(_SQL["find_beginning"], (self._door,)).fetchone()
        if row is None or row[0] is None:
            return None
        return _EPOCH + timedelta(microseconds=row[0])

    def note_beginning(self, at: datetime | None) -> None:
        """Note when a sending begins."""
        known = None if at is None else (at - _EPOCH) // timedelta(microseconds=1)
        self._database.execute(_SQL["note_beginning"], (self._door, known))

    def begin(self, events: Sequence[SentEvent]) -> None:
        """Note durably that these may be in the log from now on."""
        with self._transaction():
            self._database.executemany(
                _SQL["begin_event"],
                [
                    (
                        *self._key(event.source, event.id),
                        _pack_time(event.time),
                        event.reverses,
                        self._run,
                    )
                    for event in events
                ],
            )

    def settle(self, events: Sequence[SentEvent], fate: Fate) -> None:
        """Note what became of events that were begun."""
        with self._transaction():
            self._database.executemany(
                _SQL["settle_event"],
                [
                    (fate, self._run, *self._key(event.source, event.id))
                    for event in events
                ],
            )

    def mark_undone(self, events: Sequence[SentEvent]) -> None:
        """Note that reversals of these are in the log."""
        with self._transaction():
            self._database.executemany(
                _SQL["undo_event"],
                [self._key(event.source, event.id) for event in events],
            )
        self._has_undone = True

    def fate_of(self, source: str, id_: str) -> Fate | None:
        """Return what is known of an event; None if it was never sent."""
        found = self._find(source, id_)
        return None if found is None else found[0]

    def is_undone(self, source: str, id_: str) -> bool:
        """Tell whether an event was undone, so that its id counts no more."""
        return self._has_undone and self.fate_of(source, id_) is Fate.UNDONE

    def is_settled_in_this_run(self, source: str, id_: str) -> bool:
        """Tell whether it was accepted since the sending began that goes on now."""
        return self._find(source, id_) == (Fate.ACCEPTED, self._run)

    def _find(self, source: str, id_: str) -> tuple[Fate, int] | None:
        if source not in self._sources:
            return None
        row = self._database.execute(
            _SQL["find_event"], self._key(source, id_)
        ).fetchone()
        return None if row is None else (Fate(row[0]), int(row[1]))

    def count(self, *fates: Fate, reverses: bool = False) -> int:
        """Count the events of these fates."""
        rows = self._database.execute(_SQL["count_events"], (self._door, reverses))
        return sum(int(count) for fate, count in rows if fate in fates)

    def to_undo(self) -> Iterator[SentEvent]:
        """Go through what may be in the log and is no reversal, in order of ids.

        What is marked meanwhile does not disturb it.
        """
        after: tuple[object, object] = (-1, "")
        while True:
            rows = self._database.execute(
                _SQL["page_to_undo"], (self._door, *after, PAGE_ROWS)
            ).fetchall()
            for name, source, id_, time in rows:
                yield SentEvent(str(name), _unpack_id(id_), _unpack_time(time))
                after = (source, id_)
            if len(rows) < PAGE_ROWS:
                return

    def accepted(self) -> Iterator[SentEvent]:
        """Go through what was accepted; nothing may be changed meanwhile."""
        rows = self._database.execute(_SQL["list_accepted"], (self._door,))
        for name, id_, time in rows:
            yield SentEvent(str(name), _unpack_id(id_), _unpack_time(time))

    def is_blank(self) -> bool:
        """Tell whether nothing is remembered, for any address."""
        (is_blank,) = self._database.execute(_SQL["is_blank"]).fetchone()
        return bool(is_blank)

    def note_written(self, path: Path) -> None:
        """Remember how a file stands that we wrote, to notice later edits."""
        stat = path.stat()
        self._database.execute(
            _SQL["note_written"],
            (path.name, stat.st_size, stat.st_mtime_ns),
        )

    def is_as_written(self, path: Path) -> bool:
        """Tell whether a file stands as we wrote it."""
        try:
            stat = path.stat()
        except OSError:
            return False
        row = self._database.execute(_SQL["find_written"], (path.name,)).fetchone()
        return bool(row == (stat.st_size, stat.st_mtime_ns))

    def _key(self, source: str, id_: str) -> tuple[int, int, object]:
        if source not in self._sources:
            row = self._database.execute(_SQL["add_source"], (source,)).fetchone()
            self._sources[source] = int(row[0])
        return self._door, self._sources[source], _pack_id(id_)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


@contextmanager
def open_state(path: Path, url: str) -> Iterator[SentState]:
    """Open what is remembered of a file; it is made if there is none.

    Args:
        path: The file that is sent.
        url: Address of the ingest; what was sent to another is another matter.

    Raises:
        FileProblemError: It cannot be written, another process has it, or it is not
            ours.
    """
    place = state_path(path)
    database = None
    try:
        database = sqlite3.connect(place, isolation_level=None, timeout=0)
        _prepare(database, place)
        state = SentState(database, url)
        yield state
        if state.is_blank():
            # Still locked, so that nobody begins to write what is taken away.
            place.unlink()
    except sqlite3.Error as error:
        raise FileProblemError(_say_problem(place, error)) from error
    finally:
        if database is not None:
            database.close()


def has_state(path: Path) -> bool:
    """Tell whether anything is remembered of a file."""
    return state_path(path).is_file()


def _prepare(database: sqlite3.Connection, place: Path) -> None:
    # Held until the command ends, so that nobody sends the same file meanwhile.
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    # A commit outlives the process and the machine.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if (version, application, tables) == (0, 0, 0):
        database.executescript(_SQL["make_tables"])
    elif (version, application) != (VERSION, APPLICATION):
        raise FileProblemError(
            f"{place}: not a note of this version of `uptake send`; put it elsewhere"
        )
    database.execute(_SQL["make_later_tables"])


def _say_problem(place: Path, error: sqlite3.Error) -> str:
    what = str(error)
    if "locked" in what:
        return f"{place}: another `uptake send` has this file; wait for it"
    if "unable to open" in what or "readonly" in what:
        return (
            f"{place}: cannot be written, and without it a file is not sent, since it "
            "could not be undone: copy the file to a folder of yours"
        )
    return f"{place}: what was sent cannot be noted: {what}"


def _pack_id(id_: str) -> object:
    """Shorten ids that were made here; nearly every id is."""
    if id_.startswith(ID_PREFIX):
        try:
            packed = bytes.fromhex(id_.removeprefix(ID_PREFIX))
        except ValueError:
            return id_
        if len(packed) == _ID_BYTES and _unpack_id(packed) == id_:
            return packed
    return id_


def _unpack_id(packed: object) -> str:
    if isinstance(packed, bytes):
        return f"{ID_PREFIX}{packed.hex()}"
    return str(packed)


def _pack_time(text: str) -> object:
    """Keep an instant as microseconds; what is none stays as it is."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return (instant - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        pass
    return text


def _unpack_time(packed: object) -> str:
    if isinstance(packed, int):
        instant = _EPOCH + timedelta(microseconds=packed)
        return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return str(packed)
