"""The options of `uptake send`, as typer reads them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[
    list[Path], typer.Argument(help="CSV or NDJSON files.", show_default=False)
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
    ),
]
Type = Annotated[
    str | None, typer.Option("--type", help="Event type of rows without one.")
]
Indicator = Annotated[str | None, typer.Option(help="Indicator of rows without one.")]
Timezone = Annotated[str, typer.Option(help="Where a bare date means 12:00.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only check; send nothing.")]
GiveUpAfter = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0, help="Longest wait for ingest to answer."),
]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where and how to send.

    Attributes:
        url: Address of ingest.
        key: The agency's key.
        is_dry_run: Only have the rows checked.
        patience_seconds: How long a batch is tried before we give up.
    """

    url: str
    key: str | None
    is_dry_run: bool
    patience_seconds: float
