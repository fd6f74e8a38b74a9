"""`uptake agency`: agencies of the catalogue and their keys."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from services.cli.agency_file import (
    FOLDER,
    KEYS_MAX,
    AgencyDraft,
    NewKey,
    make_key,
    render_agency,
    replace_keys,
    write_agency,
)
from services.cli.render import Column, print_table, to_json
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Agency, AgencyKey, Catalogue
from shared.errors import CatalogueError, FatalError
from shared.events.topics import agency_topics

_FILE_ID: Final = re.compile(r"[a-z0-9-]{1,64}")

app = typer.Typer(no_args_is_help=True, help="Agencies of the catalogue, their keys.")

Directory = Annotated[
    Path,
    typer.Option(
        "--catalogue",
        envvar="UPTAKE_CATALOGUE",
        help="Directory of the catalogue.",
        show_default=False,
    ),
]
AgencyId = Annotated[
    str, typer.Argument(metavar="ID", help="Small letters, digits and hyphens.")
]


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
        id=_check_id(agency_id),
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
    _show_key(key)


@app.command("rotate")
def rotate(
    *,
    agency_id: AgencyId,
    catalogue: Directory,
    finish: Annotated[
        bool, typer.Option("--finish", help="Take the older key away instead.")
    ] = False,
) -> None:
    """Give an agency a second key beside the first; --finish ends the first.

    Until then both are valid, so the agency changes over without a gap. Also gives
    the first key to an agency that has none.
    """
    filename, agency = _find_agency(catalogue, agency_id)
    path = catalogue / FOLDER / filename
    text = path.read_text(encoding="utf-8")
    if finish:
        if len(agency.keys) < KEYS_MAX:
            raise FatalError(f"{agency_id} has one key or none; nothing to finish")
        kept = agency.keys[-1]
        write_agency(catalogue, filename, replace_keys(text, (kept,)), is_new=False)
        print(f"{agency_id}: only key {kept.id} is valid now")
        return
    if len(agency.keys) >= KEYS_MAX:
        raise FatalError(
            f"{agency_id} has two keys; first: rotate {agency_id} --finish"
        )
    key = make_key(_next_key_id(agency.keys))
    keys = (*agency.keys, key.stored)
    write_agency(catalogue, filename, replace_keys(text, keys), is_new=False)
    print(f"wrote {path}", file=sys.stderr)
    _show_key(key)


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
        "required": agency.required,
    }


def _check_id(agency_id: str) -> str:
    # It becomes a file's name, so it is checked before any path is made of it.
    if not _FILE_ID.fullmatch(agency_id):
        raise FatalError(
            f"agency id {agency_id!r}: use 1 to 64 small letters, digits and hyphens"
        )
    return agency_id


def _require_directory(catalogue: Path) -> None:
    if not catalogue.is_dir():
        raise CatalogueError(
            (f"{catalogue}: directory: not found; set UPTAKE_CATALOGUE to one",)
        )


def _find_agency(catalogue: Path, agency_id: str) -> tuple[str, Agency]:
    loaded: Catalogue = load_catalogue(catalogue)
    agency = loaded.agency(agency_id)
    if agency is None:
        raise FatalError(f"no agency {agency_id}; `uptake agency list` lists them")
    filename = f"{_check_id(agency_id)}.yaml"
    if not (catalogue / FOLDER / filename).is_file():
        raise FatalError(f"agency {agency_id} is not in {FOLDER}/{filename}; rename it")
    return filename, agency


def _next_key_id(keys: Sequence[AgencyKey]) -> str:
    taken = {key.id for key in keys}
    return next(
        name
        for name in (f"key-{number}" for number in range(1, len(keys) + 2))
        if name not in taken
    )


def _show_key(key: NewKey) -> None:
    """Print the key on the output, all else on the error stream, for pipes."""
    print(f"key {key.id}, shown once; only its SHA-256 is kept:", file=sys.stderr)
    print(key.text)
