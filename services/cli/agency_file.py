"""Writes an agency's file: whole and valid, or not at all.

A file is first tried in a copy of the catalogue made of links; only what the loader
takes reaches the catalogue, in one step.
"""

import hashlib
import json
import os
import re
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from shared.catalogue.load import load_catalogue
from shared.catalogue.model import AgencyKey, Catalogue
from shared.errors import CatalogueError, FatalError

KEY_PREFIX: Final = "uptk_"
KEY_BYTES: Final = 32
FOLDER: Final = "agencies"
KEYS_MAX: Final = 2
_FILE_ID: Final = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made; `text` is shown once and kept nowhere."""

    id: str
    text: str

    @property
    def stored(self) -> AgencyKey:
        """What a file may hold of it."""
        return AgencyKey(self.id, hashlib.sha256(self.text.encode()).hexdigest())


@dataclass(frozen=True, slots=True)
class AgencyDraft:
    """An agency as asked for on the command line, not yet checked."""

    id: str
    name: str
    sources: tuple[str, ...]
    indicators: tuple[str, ...]
    locality: str
    cadence: str | None
    is_required: bool
    has_topic: bool


def make_key(key_id: str) -> NewKey:
    """Make a key of 256 random bits."""
    return NewKey(key_id, f"{KEY_PREFIX}{secrets.token_urlsafe(KEY_BYTES)}")


def check_id(agency_id: str) -> str:
    """Return an agency's id if it may become a file's name.

    Raises:
        FatalError: It may not; no path was made of it.
    """
    if not _FILE_ID.fullmatch(agency_id):
        raise FatalError(
            f"agency id {agency_id!r}: use 1 to 64 small letters, digits and hyphens"
        )
    return agency_id


def render_agency(draft: AgencyDraft, keys: Sequence[AgencyKey]) -> str:
    """Write an agency's YAML; texts are quoted, since YAML guesses types."""
    lines = [f"id: {_quote(draft.id)}", f"name: {_quote(draft.name)}", "sources:"]
    lines += [f"  - {_quote(source)}" for source in draft.sources]
    lines.append("indicators:")
    lines += [f"  - {_quote(indicator)}" for indicator in draft.indicators]
    lines.append(f"locality: {_quote(draft.locality)}")
    if draft.cadence is not None:
        lines.append(f"cadence: {_quote(draft.cadence)}")
    if draft.is_required:
        lines.append("required: true")
    if draft.has_topic:
        lines.append("kafka: true")
    return "\n".join(lines) + f"\nkeys:{render_keys(keys)}"


def render_keys(keys: Sequence[AgencyKey]) -> str:
    """Write the value of `keys:`, from behind the colon on, with a line break."""
    if not keys:
        return " []\n"
    lines = [""]
    for key in keys:
        lines += [f"  - id: {_quote(key.id)}", f"    sha256: {key.sha256}"]
        lines += [f"    {name}: {value}" for name, value in _bindings(key)]
    return "\n".join(lines) + "\n"


def _bindings(key: AgencyKey) -> Iterator[tuple[str, str]]:
    """Yield what a key is bound to, in YAML, which JSON is."""
    if key.last_day is not None:
        yield "last_day", key.last_day.isoformat()
    if key.sources is not None:
        yield "sources", json.dumps(sorted(key.sources))
    if key.indicators is not None:
        yield "indicators", json.dumps(sorted(key.indicators))
    if key.locality is not None:
        yield "locality", _quote(key.locality)


def replace_keys(text: str, keys: Sequence[AgencyKey]) -> str:
    """Put other keys into an agency's YAML; all else stays, comments too.

    Args:
        text: A file that the loader takes.
        keys: What it holds afterwards.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode), "the loader took it"
    for name, value in root.value:
        if name.value == "keys":
            begin = name.end_mark.index + text[name.end_mark.index :].index(":") + 1
            old = text[value.start_mark.index : value.end_mark.index]
            # A block ends where the next thing begins, so what lies between, such
            # as a comment on the next thing, is given back.
            kept = value.start_mark.index + len(_without_tail(old))
            return text[:begin] + render_keys(keys) + text[kept:].removeprefix("\n")
    raise AssertionError("the loader took a file without keys")


def _without_tail(block: str) -> str:
    lines = block.split("\n")
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return "\n".join(lines)


def write_agency(
    directory: Path, filename: str, text: str, *, is_new: bool
) -> Catalogue:
    """Put a file into the catalogue if the catalogue is right with it.

    A crash leaves the catalogue as it was, or with the whole file; at worst a
    file with a dot in front of its name, which the loader passes over.

    Args:
        directory: The catalogue.
        filename: Name under `agencies`.
        text: The file's content.
        is_new: Refuse to replace a file.

    Returns:
        The catalogue with the file.

    Raises:
        CatalogueError: The catalogue would not be right; nothing was written.
        FatalError: There is such a file already, or it cannot be written.
    """
    try:
        checked = _try_out(directory, filename, text)
        _put(directory / FOLDER, filename, text, is_new=is_new)
    except FileExistsError as error:
        raise FatalError(
            f"{FOLDER}/{filename} is already there; nothing was written"
        ) from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise FatalError(
            f"{directory / FOLDER / filename} cannot be written: {reason}"
        ) from error
    return checked


def _try_out(directory: Path, filename: str, text: str) -> Catalogue:
    with tempfile.TemporaryDirectory(prefix="uptake-catalogue-") as made:
        trial = Path(made)
        for entry in directory.iterdir():
            if entry.name != FOLDER:
                (trial / entry.name).symlink_to(entry.absolute())
        (trial / FOLDER).mkdir()
        agencies = directory / FOLDER
        for entry in agencies.iterdir() if agencies.is_dir() else ():
            if entry.name != filename:
                (trial / FOLDER / entry.name).symlink_to(entry.absolute())
        (trial / FOLDER / filename).write_text(text, encoding="utf-8")
        try:
            return load_catalogue(trial)
        except CatalogueError as error:
            last = "nothing was written"
            raise CatalogueError((*error.problems, last)) from error


def _put(folder: Path, filename: str, text: str, *, is_new: bool) -> None:
    folder.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{filename}.", dir=folder)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        if is_new:
            # A link, unlike a renaming, never replaces a file.
            (folder / filename).hardlink_to(temporary)
        else:
            temporary.replace(folder / filename)
    finally:
        temporary.unlink(missing_ok=True)


def _quote(text: str) -> str:
    """Write a double-quoted YAML text, which a JSON text is."""
    return json.dumps(text, ensure_ascii=False)
