"""The options of `uptake send`, as typer reads them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

READING = "How a file is read"
SENDING = "How it is sent"
CHECKING = "Checking without a server (--check)"

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help="CSV, NDJSON or XLSX files.", show_default=False
    ),
]
Source = Annotated[
    str | None,
    typer.Option("--as", metavar="SOURCE", help="Your source, like /vn/38/voso."),
]
Url = Annotated[str, typer.Option(envvar="UPTAKE_URL", help="Address of ingest.")]
Key = Annotated[
    str | None,
    typer.Option(
        envvar="UPTAKE_KEY",
        metavar="KEY",
        help="Your agency's key. Rather set UPTAKE_KEY: a command line can be read by "
        "others.",
        show_default=False,
    ),
]
IdColumn = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="COLUMN",
        help="Column of ids, unique for ever within the source. Without one, ids are "
        "made of each row's content and its place among equal rows.",
        rich_help_panel=READING,
    ),
]
Mapping = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="COLUMN=ATTRIBUTE",
        help="What a column means: locality, time, count, amount, indicator, type, "
        "id, day. May be repeated.",
        show_default=False,
        rich_help_panel=READING,
    ),
]
MappingPath = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help="YAML that says as, type, indicator, columns, id, timezone, dates, "
        "thousands, header, sheets; options win over it.",
        rich_help_panel=READING,
    ),
]
Type = Annotated[
    str | None, typer.Option("--type", help="Event type of rows without one.")
]
Indicator = Annotated[str | None, typer.Option(help="Indicator of rows without one.")]
Timezone = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Where a date alone means 12:00, and times without offset are told. "
        "[default: Asia/Ho_Chi_Minh]",
        rich_help_panel=READING,
    ),
]
Dates = Annotated[
    str | None,
    typer.Option(
        metavar="dmy|mdy",
        help="How dates like 03/11/2026 are meant; else they are refused.",
        rich_help_panel=READING,
    ),
]
Thousands = Annotated[
    str | None,
    typer.Option(
        metavar="MARK",
        help="What stands between thousands, as in 412.750; else that is refused.",
        rich_help_panel=READING,
    ),
]
Header = Annotated[
    int | None,
    typer.Option(
        metavar="ROW",
        min=1,
        help="Row of the column names, if others stand above it.",
        rich_help_panel=READING,
    ),
]
Sheets = Annotated[
    list[str] | None,
    typer.Option(
        "--sheet",
        metavar="NAME",
        help="Only this sheet of a workbook. May be repeated.",
        show_default=False,
        rich_help_panel=READING,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Have ingest check the rows; send nothing.",
        rich_help_panel=SENDING,
    ),
]
Undo = Annotated[
    bool,
    typer.Option(
        "--undo",
        help="Reverse whatever was sent of these files from here.",
        rich_help_panel=SENDING,
    ),
]
FromStart = Annotated[
    bool,
    typer.Option(
        "--from-start",
        help="After an interruption, send all again and not only the rest.",
        rich_help_panel=SENDING,
    ),
]
GiveUpAfter = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0,
        help="Longest wait for ingest to answer.",
        rich_help_panel=SENDING,
    ),
]
Board = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        envvar="UPTAKE_BOARD_URL",
        help="Address of the board, which tells after sending what was counted.",
        show_default=False,
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0,
        help="Longest wait until the board has counted what was sent.",
        rich_help_panel=SENDING,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print a JSON object a line: each refused row, then a summary a file; "
        "with a board each rejected row, then what became of the file.",
    ),
]
CheckOnly = Annotated[
    bool,
    typer.Option(
        "--check",
        help="Check the rows here, by a catalogue; no server is asked, nothing sent.",
        rich_help_panel=CHECKING,
    ),
]
Catalogue = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        envvar="UPTAKE_CATALOGUE",
        help="The catalogue. [default: the one that ships]",
        show_default=False,
        rich_help_panel=CHECKING,
    ),
]
Agency = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="Whose rows they are. [default: the owner of the source]",
        rich_help_panel=CHECKING,
    ),
]
At = Annotated[
    str | None,
    typer.Option(
        metavar="INSTANT",
        help="Judge as if it were then, like 2026-11-21T12:00:00+07:00. [default: now]",
        rich_help_panel=CHECKING,
    ),
]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where and how to send.

    Attributes:
        url: Address of ingest.
        key: The agency's key.
        is_dry_run: Only have the rows checked.
        patience_seconds: How long a batch is tried before we give up.
        is_from_start: Whether an interrupted sending begins anew.
        board_url: Address of the board; None if nobody is asked afterwards.
        wait_seconds: How long the board may take to have counted what was sent.
    """

    url: str
    key: str | None
    is_dry_run: bool
    patience_seconds: float
    is_from_start: bool = False
    board_url: str | None = None
    wait_seconds: float = 60
