"""Reads published figures, for demos, tests and opening balances.

A figure says what somebody published; it is no part of any total.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shared.catalogue.model import LocalityKey
from shared.errors import CatalogueError

COLUMNS = (
    "indicator",
    "locality",
    "valid_from",
    "count",
    "amount",
    "unit",
    "as_of",
    "lower_bound",
    "source_file",
    "indicator_as_given",
    "locality_as_given",
    "as_of_given",
)

_NUMBER = re.compile(r"[0-9]{1,18}")
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure."""

    indicator: str
    locality: LocalityKey
    """The unit that the figure is a figure of, or lies within."""
    count: int
    amount: int | None
    """In VND; None where none was published."""
    unit: str
    as_of: date
    """The last day that the figure can stand for."""
    lower_bound: bool
    """Whether it was published as "more than"."""
    source_file: str
    """Where it was collected from."""
    indicator_as_given: str
    """The words of the source, as collected."""
    locality_as_given: str
    as_of_given: str
    """`?` marks a date that was inferred; `a/b` is a period."""


def load_figures(path: Path) -> tuple[Figure, ...]:
    """Read figures in the order of the file.

    Raises:
        CatalogueError: The file is missing or wrong, one line per problem.
    """
    figures: list[Figure] = []
    problems: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                wrong = "line 1: the columns are not the expected ones"
                raise CatalogueError(
                    (f"{path.name}: {wrong}; write {','.join(COLUMNS)}",)
                )
            for cells in reader:
                try:
                    figures.append(_parse(cells))
                except ValueError as error:
                    problems.append(
                        f"{path.name}: line {reader.line_num}: {error}; correct it"
                    )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{path.name}: file: {error}; make it a readable UTF-8 CSV")
    if problems:
        raise CatalogueError(tuple(problems))
    return tuple(figures)


def _parse(cells: Mapping[str, str]) -> Figure:
    # A row that is too short has None cells, one that is too long a None key.
    if set(cells) != set(COLUMNS) or None in cells.values():
        raise ValueError(f"not {len(COLUMNS)} cells")
    if cells["lower_bound"] not in _FLAGS:
        raise ValueError(f"lower_bound '{cells['lower_bound']}' is not true or false")
    return Figure(
        indicator=cells["indicator"],
        locality=LocalityKey(
            cells["locality"], date.fromisoformat(cells["valid_from"])
        ),
        count=_parse_number("count", cells["count"]),
        amount=_parse_number("amount", cells["amount"]) if cells["amount"] else None,
        unit=cells["unit"],
        as_of=date.fromisoformat(cells["as_of"]),
        lower_bound=_FLAGS[cells["lower_bound"]],
        source_file=cells["source_file"],
        indicator_as_given=cells["indicator_as_given"],
        locality_as_given=cells["locality_as_given"],
        as_of_given=cells["as_of_given"],
    )


def _parse_number(column: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{column} '{text}' is no whole number")
    return int(text)
