"""Reads `populations.csv`: how many people of which group lived where, and when.

Columns, in this order: group, locality (a code), valid_from (of the unit that is
meant, since codes are used again), as_of, count, source, illustrative (true or
false). The file may be missing where no goal needs it.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from shared.catalogue.files import Problems
from shared.catalogue.model import LocalityKey, Population, Tree

FILE = "populations.csv"
COLUMNS = (
    "group",
    "locality",
    "valid_from",
    "as_of",
    "count",
    "source",
    "illustrative",
)
ROWS_MAX = 100_000

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_GROUP = re.compile(r"[a-z][a-z0-9_]{0,63}")
_COUNT = re.compile(r"[0-9]{1,15}")
_FLAGS = {"true": True, "false": False}


def read_populations(
    directory: Path, tree: Tree | None, problems: Problems
) -> tuple[Population, ...] | None:
    """Read the populations, sorted; None if anything is wrong with them."""
    before = len(problems.lines)
    if not (directory / FILE).exists():
        return ()
    try:
        # Utf-8-sig, since spreadsheets put a byte order mark in front.
        with (directory / FILE).open(encoding="utf-8-sig", newline="") as stream:
            rows = list(_read_rows(csv.reader(stream, strict=True), tree, problems))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.add(FILE, "file", str(error), "make it a readable UTF-8 CSV file")
        return None
    lines: dict[tuple[str, LocalityKey, date], int] = {}
    for line, row in rows:
        key = (row.group, row.locality, row.as_of)
        if key in lines:
            problems.add(
                FILE,
                f"line {line}",
                f"{row.group} of {row.locality.code} as of {row.as_of} is already in "
                f"line {lines[key]}",
                "keep one",
            )
        lines.setdefault(key, line)
    if len(problems.lines) > before:
        return None
    found = [row for _, row in rows]
    return tuple(sorted(found, key=lambda row: (row.group, row.locality, row.as_of)))


def find_population(
    populations: Iterable[Population], as_of: date | None, start_date: date
) -> Population | None:
    """Choose the figure that a goal is measured by.

    A figure that is published later must not move a goal that stands, so it is the
    latest one up to the start, unless the goal names another day.

    Args:
        populations: Of one group and unit, ascending by day.
        as_of: The day that the goal names, if any.
        start_date: First day of the target.
    """
    if as_of is not None:
        return next((one for one in populations if one.as_of == as_of), None)
    fitting = [one for one in populations if one.as_of <= start_date]
    return fitting[-1] if fitting else None


def _read_rows(
    reader: Iterable[list[str]], tree: Tree | None, problems: Problems
) -> Iterator[tuple[int, Population]]:
    for line, cells in enumerate(reader, start=1):
        place = f"line {line}"
        if line == 1:
            if tuple(cells) != COLUMNS:
                problems.add(
                    FILE,
                    place,
                    "the columns are not the expected ones",
                    f"write {','.join(COLUMNS)}",
                )
                return
        elif line > ROWS_MAX:
            problems.add(FILE, place, f"more than {ROWS_MAX} lines", "remove some")
            return
        elif len(cells) != len(COLUMNS):
            problems.add(
                FILE,
                place,
                f"{len(cells)} cells instead of {len(COLUMNS)}",
                "add or remove commas",
            )
        else:
            faults = list(_find_faults(cells, tree))
            for wrong, remedy in faults:
                problems.add(FILE, place, wrong, remedy)
            if not faults:
                yield line, _build(cells)


def _find_faults(cells: list[str], tree: Tree | None) -> Iterator[tuple[str, str]]:
    group, code, valid_from, as_of, count, source, illustrative = cells
    if not _GROUP.fullmatch(group):
        yield (
            f"group '{group}' is no name",
            "write one like population_15_plus: small letters, digits and _",
        )
    since, day = _parse_day(valid_from), _parse_day(as_of)
    for name, text, parsed in (
        ("valid_from", valid_from, since),
        ("as_of", as_of, day),
    ):
        if parsed is None:
            yield f"{name} '{text}' is no date", "write one like 2025-07-01"
    if since is not None and tree is not None and LocalityKey(code, since) not in tree:
        yield (
            f"locality '{code}' of {since} is unknown",
            "use code and valid_from of localities.csv",
        )
    if not _COUNT.fullmatch(count):
        yield f"count '{count}' is no whole number", "write digits only"
    if not source.strip():
        yield "source is empty", "name who published the figure, and where"
    if illustrative not in _FLAGS:
        yield f"illustrative '{illustrative}' is no flag", "write true or false"


def _parse_day(text: str) -> date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _build(cells: list[str]) -> Population:
    group, code, valid_from, as_of, count, source, illustrative = cells
    return Population(
        group=group,
        locality=LocalityKey(code, date.fromisoformat(valid_from)),
        as_of=date.fromisoformat(as_of),
        count=int(count),
        source=source,
        illustrative=_FLAGS[illustrative],
    )
