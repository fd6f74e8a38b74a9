"""Shows figures: tables for people, JSON and CSV for programs.

A table fits the terminal, 80 columns where there is none. Text is wrapped to fit; a
figure is never cut, the table rather grows wider. JSON and CSV hold exact integers.
"""

import csv
import io
import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, overload
from zoneinfo import ZoneInfo

import msgspec
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WIDTH: Final = 80
TEXT_WIDTH_MIN: Final = 10
GAP: Final = 2
BASIS_POINTS: Final = 10_000
LOCAL_TIME: Final = ZoneInfo("Asia/Ho_Chi_Minh")

STYLES: Final[Mapping[str, str]] = {
    "lagging": "bold red",
    "missed": "bold red",
    "firing": "bold red",
    "at_risk": "yellow",
    "pending": "yellow",
    "kept": "yellow",
    "unknown": "magenta",
    "met": "green",
    "ahead": "green",
    "on_track": "green",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its heading; may be empty.
        is_figure: Flush right and never cut or wrapped.
        is_code: Wrapped only when narrower texts do not make enough room.
    """

    title: str
    is_figure: bool = False
    is_code: bool = False


def render_table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int = WIDTH,
    is_colored: bool = False,
) -> str:
    """Draw a table.

    Args:
        columns: At least one.
        rows: Cells as text, one per column each.
        width: Columns of the terminal.
        is_colored: Whether the words of `STYLES` are coloured.

    Returns:
        Lines with a line break behind each, at most `width` wide unless the figures
        alone need more.
    """
    table = Table(
        box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0)
    )
    widths = share_width(columns, rows, width)
    for column, column_width in zip(columns, widths, strict=True):
        table.add_column(
            column.title,
            justify="right" if column.is_figure else "left",
            width=column_width,
            header_style="none",
        )
    for row in rows:
        table.add_row(
            *[
                Text(_fold(cell, cell_width), STYLES.get(cell.lower(), ""))
                for cell, cell_width in zip(row, widths, strict=True)
            ]
        )
    stream = io.StringIO()
    Console(
        file=stream,
        width=sum(widths) + GAP * len(widths),
        force_terminal=is_colored,
        no_color=not is_colored,
        legacy_windows=False,
    ).print(table)
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print a table as wide as the terminal; plain text when there is none."""
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((WIDTH, 24)).columns if is_terminal else WIDTH
    is_colored = is_terminal and "NO_COLOR" not in os.environ
    print(render_table(columns, rows, width=width, is_colored=is_colored), end="")


def share_width(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int
) -> list[int]:
    """Give each column its width: figures what they need, texts what is left.

    Texts are narrowed widest first and before codes, neither below `TEXT_WIDTH_MIN`,
    so the sum may be more than `width`.
    """
    widths = []
    for at, column in enumerate(columns):
        cells = [column.title, *(row[at] for row in rows)]
        widths.append(max(cell_len(plain(cell)) for cell in cells))
    excess = sum(widths) + GAP * (len(widths) - 1) - width
    for wants_codes in (False, True):
        texts = [
            at
            for at, column in enumerate(columns)
            if not column.is_figure and column.is_code is wants_codes
        ]
        while excess > 0 and any(widths[at] > TEXT_WIDTH_MIN for at in texts):
            widths[max(texts, key=lambda at: widths[at])] -= 1
            excess -= 1
    return widths


def _fold(text: str, width: int) -> str:
    """Break a text into lines, at spaces and hyphens where it can be."""
    return "\n".join(textwrap.wrap(plain(text), max(width, 1)))


def to_json(value: object) -> str:
    """Write JSON with exact figures, dates as ISO 8601, and a line break at the end."""
    raw = msgspec.json.Encoder(decimal_format="number").encode(value)
    return msgspec.json.format(raw, indent=2).decode() + "\n"


def to_csv(rows: Sequence["DataclassInstance"], kind: type["DataclassInstance"]) -> str:
    """Write rows of one kind as CSV with a header, exact figures, ISO 8601 dates."""
    names = [field.name for field in fields(kind)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_csv_cell(getattr(row, name)) for name in names] for row in rows)
    return stream.getvalue()


def _csv_cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else value


@overload
def exact(value: Decimal | int) -> Decimal | int: ...
@overload
def exact(value: None) -> None: ...
def exact(value: Decimal | int | None) -> Decimal | int | None:
    """Turn what Postgres calls numeric into an integer where it is one."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def figure(value: Decimal | int | None) -> str:
    """Write a figure for people: thousands apart, halves rounded to even, or a dash."""
    if value is None:
        return "-"
    return (
        f"{int(value.to_integral_value()) if isinstance(value, Decimal) else value:,}"
    )


def ratio(basis_points: int | None) -> str:
    """Write basis points as a ratio of two decimals, rounded down.

    0.8999 is below 0.90 and must not look like it.
    """
    if basis_points is None:
        return "-"
    hundredths = basis_points * 100 // BASIS_POINTS
    sign, whole = "-" if hundredths < 0 else "", abs(hundredths)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def instant(value: datetime | None) -> str:
    """Write an instant as local time to the minute, or a dash."""
    if value is None:
        return "-"
    return value.astimezone(LOCAL_TIME).strftime("%Y-%m-%d %H:%M")


def counted(count: int, noun: str) -> str:
    """Write how many there are of something: `1 row`, `2,500 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def plain(text: str) -> str:
    """Take control characters away, so that no text can steer a terminal."""
    return "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cf"} else letter
        for letter in text
    )
