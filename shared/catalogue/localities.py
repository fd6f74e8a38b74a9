"""Reads `localities.csv` and checks that it makes a tree.

Columns, in this order: code, valid_from, valid_to (the first day on which the
unit is no more; empty while it lasts), kind, name, parent (a code; which of
its units is meant follows from valid_from).
"""

import csv
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from shared.catalogue.files import Problems
from shared.catalogue.model import Locality, LocalityKey, LocalityKind, Tree

FILE = "localities.csv"
COLUMNS = ("code", "valid_from", "valid_to", "kind", "name", "parent")

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CODES = {
    LocalityKind.NATION: (
        re.compile(r"[A-Z]{2}"),
        "two capital letters",
        "write one like VN",
    ),
    LocalityKind.PROVINCE: (re.compile(r"[0-9]{2}"), "2 digits", "keep leading zeros"),
    LocalityKind.COMMUNE: (re.compile(r"[0-9]{5}"), "5 digits", "keep leading zeros"),
}
_KINDS = {kind.value: kind for kind in _CODES}
_PARENTS = {
    LocalityKind.PROVINCE: LocalityKind.NATION,
    LocalityKind.COMMUNE: LocalityKind.PROVINCE,
}


class _Row(NamedTuple):
    line: int
    code: str
    valid_from: date
    valid_to: date | None
    kind: LocalityKind
    name: str
    parent: str


def read_tree(directory: Path, problems: Problems) -> Tree | None:
    """Read the tree; None if anything is wrong with it."""
    before = len(problems.lines)
    try:
        # Utf-8-sig, since spreadsheets put a byte order mark in front.
        with (directory / FILE).open(encoding="utf-8-sig", newline="") as stream:
            rows = _read_rows(csv.reader(stream, strict=True), problems)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.add(FILE, "file", str(error), "make it a readable UTF-8 CSV file")
        return None
    # A broken row would make others look like orphans, so it stops here.
    if len(problems.lines) > before:
        return None
    by_code: dict[str, list[_Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.code, row.valid_from, row.line)):
        by_code[row.code].append(row)
    _check_codes(by_code, problems)
    _check_nation(rows, problems)
    localities = _link(rows, by_code, problems)
    if len(problems.lines) > before:
        return None
    return Tree(tuple(sorted(localities, key=lambda locality: locality.key)))


def _read_rows(reader: Iterable[list[str]], problems: Problems) -> list[_Row]:
    rows = []
    for line, cells in enumerate(reader, start=1):
        if line == 1:
            if tuple(cells) != COLUMNS:
                problems.add(
                    FILE,
                    "line 1",
                    "the columns are not the expected ones",
                    f"write {','.join(COLUMNS)}",
                )
                return []
        elif len(cells) != len(COLUMNS):
            problems.add(
                FILE,
                f"line {line}",
                f"{len(cells)} cells instead of {len(COLUMNS)}",
                "add or remove commas",
            )
        elif (row := _parse_row(line, cells, problems)) is not None:
            rows.append(row)
    return rows


def _parse_row(line: int, cells: list[str], problems: Problems) -> _Row | None:
    code, valid_from_text, valid_to_text, kind_text, name, parent = cells
    kind = _KINDS.get(kind_text)
    valid_from = _parse_day(valid_from_text)
    valid_to = _parse_day(valid_to_text)
    faults = list(_find_faults(cells, kind, valid_from, valid_to))
    for wrong, remedy in faults:
        problems.add(FILE, f"line {line}", wrong, remedy)
    if faults or kind is None or valid_from is None:
        return None
    return _Row(line, code, valid_from, valid_to, kind, name, parent)


def _find_faults(
    cells: list[str],
    kind: LocalityKind | None,
    valid_from: date | None,
    valid_to: date | None,
) -> Iterable[tuple[str, str]]:
    code, valid_from_text, valid_to_text, kind_text, name, parent = cells
    if kind is None:
        yield f"kind '{kind_text}' is unknown", f"write {', '.join(_KINDS)}"
    else:
        pattern, shape, remedy = _CODES[kind]
        if not pattern.fullmatch(code):
            yield f"code '{code}' of a {kind} is not {shape}", remedy
        if (kind is LocalityKind.NATION) != (parent == ""):
            yield f"parent '{parent}' of a {kind}", "only the nation has none"
    if valid_from is None:
        yield f"valid_from '{valid_from_text}' is no date", "write one like 2025-07-01"
    if valid_to_text and valid_to is None:
        yield (
            f"valid_to '{valid_to_text}' is no date",
            "write one like 2025-07-01, or nothing",
        )
    if valid_from is not None and valid_to is not None and valid_to <= valid_from:
        yield f"valid_to {valid_to} is not after valid_from", "correct one of them"
    if not name.strip():
        yield "name is empty", "add it"


def _parse_day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _check_codes(by_code: dict[str, list[_Row]], problems: Problems) -> None:
    for code, rows in by_code.items():
        for earlier, later in itertools.pairwise(rows):
            if earlier.valid_from == later.valid_from:
                problems.add(
                    FILE,
                    f"line {later.line}",
                    f"code {code} from {later.valid_from} is already in line "
                    f"{earlier.line}",
                    "keep one",
                )
            elif earlier.valid_to is None or earlier.valid_to > later.valid_from:
                problems.add(
                    FILE,
                    f"line {later.line}",
                    f"code {code} is still borne by line {earlier.line} on "
                    f"{later.valid_from}",
                    f"give line {earlier.line} a valid_to of {later.valid_from} or "
                    "earlier",
                )


def _check_nation(rows: list[_Row], problems: Problems) -> None:
    codes = {row.code for row in rows if row.kind is LocalityKind.NATION}
    if len(codes) != 1:
        problems.add(
            FILE,
            "kind",
            f"{len(codes)} nations: {', '.join(sorted(codes)) or 'none'}",
            "keep exactly one",
        )


def _link(
    rows: list[_Row], by_code: dict[str, list[_Row]], problems: Problems
) -> list[Locality]:
    return [
        Locality(
            key=LocalityKey(row.code, row.valid_from),
            valid_to=row.valid_to,
            name=row.name,
            kind=row.kind,
            parent=_find_parent(row, by_code, problems),
        )
        for row in rows
    ]


def _find_parent(
    row: _Row, by_code: dict[str, list[_Row]], problems: Problems
) -> LocalityKey | None:
    if row.kind is LocalityKind.NATION:
        return None
    place = f"line {row.line}"
    kind = _PARENTS[row.kind]
    candidates = [
        parent for parent in by_code.get(row.parent, ()) if parent.kind is kind
    ]
    if not candidates:
        problems.add(
            FILE,
            place,
            f"parent '{row.parent}' of {row.code} is no {kind}",
            f"add a {kind} with this code or correct it",
        )
        return None
    for parent in candidates:
        if parent.valid_from <= row.valid_from < (parent.valid_to or date.max):
            if (row.valid_to or date.max) > (parent.valid_to or date.max):
                problems.add(
                    FILE,
                    place,
                    f"{row.code} outlasts its parent, which ends on {parent.valid_to}",
                    "end it there and write its successor",
                )
            return LocalityKey(parent.code, parent.valid_from)
    problems.add(
        FILE,
        place,
        f"parent {row.parent} does not exist on {row.valid_from}",
        "correct the parent or valid_from",
    )
    return None
