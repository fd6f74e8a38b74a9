"""`uptake agency`: agencies of the catalogue and their keys."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from services.cli import agency_keys
from services.cli.agency_file import (
    FOLDER,
    AgencyDraft,
    check_id,
    make_key,
    render_agency,
    write_agency,
)
from services.cli.agency_keys import AgencyId, Directory, show_key
from services.cli.render import Column, print_table, to_json
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Agency
from shared.errors import CatalogueError
from shared.events.topics import agency_topics

app = typer.Typer(no_args_is_help=True, help="Agencies of the catalogue, their keys.")


@app.command("add")
def add(
    *,
    agency_id: AgencyId,
    catalogue: Directory,
    name: Annotated[str, typer.Option(help="For people.")],
    sources: Annotated[
        list[str],
        typer.Option("--source", help="Like /vn/38/voso. May be repeated."),
    ],
    indicators: Annotated[
        str, typer.Option(help="Separated by commas, or * for all of them.")
    ],
    locality: Annotated[str, typer.Option(help="It may report for this and below.")],
    cadence: Annotated[
        str | None,
        typer.Option(help="Longest time between two reports, like 24h."),
    ] = None,
    required: Annotated[
        bool, typer.Option("--required", help="Its silence makes targets unknown.")
    ] = False,
    kafka: Annotated[
        bool, typer.Option("--kafka", help="It has a topic of its own.")
    ] = False,
) -> None:
    """Add an agency and show its key, once; only the key's SHA-256 is kept."""
    draft = AgencyDraft(
        id=check_id(agency_id),
        name=name,
        sources=tuple(sources),
        indicators=tuple(part.strip() for part in indicators.split(",")),
        locality=locality,
        cadence=cadence,
        is_required=required,
        has_topic=kafka,
    )
    _require_directory(catalogue)
    key = make_key("key-1")
    text = render_agency(draft, (key.stored,))
    write_agency(catalogue, f"{draft.id}.yaml", text, is_new=True)
    print(f"wrote {catalogue / FOLDER / draft.id}.yaml", file=sys.stderr)
    if kafka:
        topic = agency_topics(draft.id)[0].name
        print(
            f"next: uptake migrate makes {topic} and permits only the agency's user "
            "to write it",
            file=sys.stderr,
        )
    show_key(key)


@app.command("list")
def list_agencies(
    *,
    catalogue: Directory,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the agencies."""
    agencies = sorted(
        load_catalogue(catalogue).agencies.values(), key=lambda agency: agency.id
    )
    if as_json:
        print(to_json({"agencies": [_as_json(agency) for agency in agencies]}), end="")
    else:
        _print(agencies)


for command, function in (
    ("issue", agency_keys.issue),
    ("rotate", agency_keys.rotate),
    ("revoke", agency_keys.revoke),
    ("keys", agency_keys.list_keys),
):
    app.command(command)(function)


def _print(agencies: Sequence[Agency]) -> None:
    if not agencies:
        print("no agencies; uptake agency add adds one")
        return
    columns = (
        Column("agency", is_code=True),
        Column("locality", is_code=True),
        Column("sources"),
        Column("indicators", is_figure=True),
        Column("keys", is_figure=True),
        Column("cadence", is_figure=True),
    )
    rows = [
        (
            agency.id,
            agency.locality,
            " ".join(agency.sources),
            str(len(agency.indicators)),
            str(len(agency.keys)),
            "-" if agency.cadence_hours is None else f"{agency.cadence_hours} h",
        )
        for agency in agencies
    ]
    print_table(columns, rows)


def _as_json(agency: Agency) -> dict[str, object]:
    return {
        "id": agency.id,
        "name": agency.name,
        "sources": agency.sources,
        "indicators": sorted(agency.indicators),
        "locality": agency.locality,
        "kafka": agency.kafka,
        "keys": [key.id for key in agency.keys],
        "cadence_hours": agency.cadence_hours,
        "cadences_hours": dict(agency.cadences),
        "required": agency.required,
    }


def _require_directory(catalogue: Path) -> None:
    if not catalogue.is_dir():
        raise CatalogueError(
            (f"{catalogue}: directory: not found; set UPTAKE_CATALOGUE to one",)
        )
