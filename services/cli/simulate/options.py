"""The options of `uptake simulate`, as typer reads them."""

from pathlib import Path
from typing import Annotated

import typer

Rate = Annotated[int, typer.Option(min=1, help="Events a second.")]
Duration = Annotated[int, typer.Option(min=1, metavar="SECONDS", help="How long.")]
Seed = Annotated[
    int | None,
    typer.Option(min=0, help="Gives the same events again that day; else a new one."),
]
Duplicates = Annotated[float, typer.Option(min=0, max=1, help="Share sent twice.")]
Reversals = Annotated[
    float, typer.Option(min=0, max=1, help="Share added and reversed.")
]
Disorder = Annotated[
    int, typer.Option(min=1, help="Most places that an event is out of order.")
]
Days = Annotated[
    int, typer.Option(min=1, max=60, help="Spread over so many days before today.")
]
Url = Annotated[str, typer.Option(envvar="UPTAKE_URL", help="Address of ingest.")]
Key = Annotated[
    str | None,
    typer.Option(
        envvar="UPTAKE_KEY",
        metavar="KEY",
        help="Key of the one agency. Rather set UPTAKE_KEY: a command line can be "
        "read by others.",
        show_default=False,
    ),
]
Keys = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Keys of several agencies: a JSON object, agency to key.",
        show_default=False,
    ),
]
CatalogueFolder = Annotated[
    Path | None,
    typer.Option(
        envvar="UPTAKE_CATALOGUE",
        metavar="DIR",
        help="The catalogue that ingest uses.",
        show_default=False,
    ),
]
Truth = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the truth as JSON.", show_default=False),
]
