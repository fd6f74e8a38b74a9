"""Reads a catalogue's YAML files into the shapes of `shared.catalogue.shapes`.

Whatever is wrong becomes one line in `Problems`, so that whoever edits the
files sees everything at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.catalogue.shapes import Shape, show

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NAME_MAX = 60
_DEPTH_MAX = 32
_TOP = "top"

_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "correct its name or remove it",
    "string_type": "put the value in quotes",
    "int_type": "give a whole number without quotes",
    "date_type": "give a date like 2026-01-31, without quotes",
    "bool_type": "write true or false",
    "list_type": "write a list",
    "model_type": "write a mapping",
}


class Problems:
    """What is wrong with a catalogue, in the order it was found."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    @property
    def lines(self) -> tuple[str, ...]:
        """One line each: file, place, what is wrong, what to do."""
        return tuple(self._lines)

    def add(self, file: str, place: str, wrong: str, remedy: str) -> None:
        """Note one problem; line breaks inside it become spaces."""
        self._lines.append(
            " ".join(f"{file}: {place}: {wrong}; {remedy}".split()),
        )


ShapeT = TypeVar("ShapeT", bound=Shape)


@dataclass(frozen=True, slots=True)
class Entry(Generic[ShapeT]):
    """A shape with where it was read, for the problems still to be found."""

    file: str
    place: str
    """`top` where the file holds one entry, else the entry's name."""
    shape: ShapeT

    def place_of(self, field: str) -> str:
        """Name the place of a field of the entry."""
        return field if self.place == _TOP else f"{self.place}.{field}"


def read_one(
    directory: Path, file: str, kind: type[ShapeT], problems: Problems
) -> Entry[ShapeT] | None:
    """Read a file that holds one entry; None if anything is wrong with it."""
    found, value = _read_yaml(directory, file, problems)
    if not found:
        return None
    return _validate(value, kind, file, "", problems)


def read_many(
    directory: Path, file: str, kind: type[ShapeT], problems: Problems
) -> list[Entry[ShapeT]]:
    """Read a file that holds a list of entries, leaving out the wrong ones."""
    found, value = _read_yaml(directory, file, problems)
    if not found:
        return []
    if not isinstance(value, list):
        problems.add(file, _TOP, "not a list", "begin every entry with '- '")
        return []
    entries = (
        _validate(item, kind, file, _name_item(item, number), problems)
        for number, item in enumerate(value, start=1)
    )
    return [entry for entry in entries if entry is not None]


def list_folder(directory: Path, folder: str, problems: Problems) -> list[str]:
    """List the YAML files of a folder, sorted; a missing folder is empty."""
    path = directory / folder
    files = []
    for child in sorted(path.iterdir()) if path.is_dir() else ():
        # A mounted ConfigMap keeps its own links under names that start with
        # a dot.
        if child.name.startswith("."):
            continue
        if child.suffix == ".yaml":
            files.append(f"{folder}/{child.name}")
        elif child.suffix != ".md":
            problems.add(
                f"{folder}/{child.name}",
                "name",
                "only *.yaml files are read here",
                "rename it or move it away",
            )
    return files


def _read_yaml(directory: Path, file: str, problems: Problems) -> tuple[bool, object]:
    loader = None
    try:
        # Utf-8-sig, since some editors put a byte order mark in front.
        text = (directory / file).read_text(encoding="utf-8-sig")
        if (fault := _find_strange(text)) is not None:
            line, wrong = fault
            problems.add(file, f"line {line}", wrong, "correct the syntax")
            return False, None
        loader = _LOADER(text)
        node = loader.get_single_node()
        if node is None:
            problems.add(file, _TOP, "the file is empty", "fill it or remove it")
            return False, None
        repeated = list(_find_repeated_keys(node, set()))
        for line, key in repeated:
            problems.add(
                file, f"line {line}", f"key {show(key)} is repeated", "keep one"
            )
        return not repeated, loader.construct_document(node)
    except (OSError, UnicodeDecodeError) as error:
        problems.add(file, "file", str(error), "make it a readable UTF-8 file")
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else "file"
        wrong = getattr(error, "problem", None) or str(error)
        problems.add(file, place, f"not YAML: {wrong}", "correct the syntax")
    finally:
        if loader is not None:
            loader.dispose()
    return False, None


def _find_strange(text: str) -> tuple[int, str] | None:
    """Find what the loader would stumble over instead of refusing it.

    It follows depth by calls, until the process ends, and believes tags that do not fit
    their values.

    Returns:
        The line, from 1, and what is wrong.

    Raises:
        yaml.YAMLError: It is not YAML.
    """
    depth = line = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if event.start_mark is not None:
            line = event.start_mark.line + 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEPTH_MAX:
            return line, "not YAML: nested too deeply"
        if getattr(event, "tag", None) is not None:
            return line, "not YAML: tags are not taken"
    return None


def _find_repeated_keys(
    node: yaml.Node, visited: set[int]
) -> Iterator[tuple[int, str]]:
    # YAML silently keeps the last of equal keys, which hides a slip. An alias
    # gives the same node again, so nodes are visited once.
    if id(node) in visited:
        return
    visited.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    yield key.start_mark.line + 1, key.value
                seen.add(key.value)
            yield from _find_repeated_keys(value, visited)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _find_repeated_keys(item, visited)


def _validate(
    value: object, kind: type[ShapeT], file: str, place: str, problems: Problems
) -> Entry[ShapeT] | None:
    try:
        return Entry(file, place or _TOP, kind.model_validate(value))
    except ValidationError as error:
        for detail in error.errors():
            location = [place] if place else []
            location += [str(part) for part in detail["loc"]]
            _add_detail(problems, file, ".".join(location) or _TOP, detail)
        return None


def _add_detail(
    problems: Problems, file: str, place: str, detail: ErrorDetails
) -> None:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "catalogue":
        problems.add(file, place, str(context["wrong"]), str(context["remedy"]))
        return
    wrong = detail["msg"][:1].lower() + detail["msg"][1:]
    # Who writes the key where its hash belongs must not find it in a log.
    is_secret = detail["loc"][-1:] == ("sha256",)
    if kind not in {"missing", "extra_forbidden"} and not is_secret:
        wrong += f" (not {show(detail['input'])})"
    problems.add(file, place, wrong, _REMEDIES.get(kind, "correct it"))


def _name_item(item: object, number: int) -> str:
    if isinstance(item, Mapping):
        for key in ("id", "type"):
            if isinstance(name := item.get(key), str) and name:
                return name[:_NAME_MAX]
    return f"item {number}"
