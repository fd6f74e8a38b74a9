"""Who may read the board besides agencies: a file of readers with hashed keys.

    - id: dashboard
      name: Dashboard of the province's steering committee
      keys:
        - id: key-1
          sha256: ...
          last_day: 2026-12-31    # left out where it is valid until it is taken away

Kept apart from the catalogue, which says what is counted and who may send.
"""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from shared.catalogue.checks import check_unique
from shared.catalogue.files import Entry, Problems, read_many
from shared.catalogue.model import AgencyKey
from shared.catalogue.shapes import KeyHash, Shape, Slug, Text
from shared.errors import CatalogueError

READERS_MAX: Final = 10_000
KEYS_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who may read what is shown to everybody with a key.

    Attributes:
        id: Unique among readers.
        name: For people.
        keys: At most two; two while rotating, none for one whose key was taken away.
    """

    id: str
    name: str
    keys: tuple[AgencyKey, ...]


class _ReaderKeyShape(Shape):
    """One key; a reader's is bound to nothing, so whoever tries is told so."""

    id: Slug
    sha256: KeyHash
    last_day: dt.date | None = None


class _ReaderShape(Shape):
    """One entry of the file."""

    id: Slug
    name: Text
    keys: Annotated[list[_ReaderKeyShape], Field(max_length=KEYS_MAX)]


def load_readers(path: Path) -> tuple[Reader, ...]:
    """Read and check a file of readers.

    Returns:
        In the order of the file.

    Raises:
        CatalogueError: Anything is wrong; it carries every problem found, one line
            each. The caller keeps the readers it has, or does not start.
    """
    problems = Problems()
    entries = read_many(path.parent, path.name, _ReaderShape, problems)
    check_unique(((entry, entry.shape.id) for entry in entries), "id", problems)
    _check_keys(entries, problems)
    if len(entries) > READERS_MAX:
        problems.add(
            path.name,
            "top",
            f"{len(entries)} readers, at most {READERS_MAX}",
            "take some away",
        )
    if problems.lines:
        raise CatalogueError(problems.lines)
    return tuple(
        Reader(
            id=entry.shape.id,
            name=entry.shape.name,
            keys=tuple(
                AgencyKey(key.id, key.sha256, key.last_day) for key in entry.shape.keys
            ),
        )
        for entry in entries
    )


def _check_keys(entries: list[Entry[_ReaderShape]], problems: Problems) -> None:
    """Refuse a key that is given twice."""
    owners: dict[str, str] = {}
    for entry in entries:
        for key in entry.shape.keys:
            if key.sha256 in owners:
                problems.add(
                    entry.file,
                    entry.place_of("keys"),
                    f"key '{key.id}' has the sha256 of {owners[key.sha256]}",
                    "make a new key",
                )
            owners.setdefault(
                key.sha256, f"key '{key.id}' of reader '{entry.shape.id}'"
            )


def render_readers(readers: Iterable[Reader]) -> str:
    """Write a file of readers; texts are quoted, since YAML guesses types."""
    lines = ["# Written by `uptake reader`, which keeps no comments.\n"]
    for reader in readers:
        lines.append(f"- id: {_quote(reader.id)}\n  name: {_quote(reader.name)}\n")
        lines.append("  keys:\n" if reader.keys else "  keys: []\n")
        lines += [
            f"    - id: {_quote(key.id)}\n      sha256: {key.sha256}\n"
            + (f"      last_day: {key.last_day}\n" if key.last_day else "")
            for key in reader.keys
        ]
    return "".join(lines) if len(lines) > 1 else f"{lines[0]}[]\n"


def _quote(text: str) -> str:
    """Write a double-quoted YAML text, which a JSON text is."""
    return json.dumps(text, ensure_ascii=False)
