"""`uptake agency issue|rotate|revoke|keys`: the keys of an agency.

A key is shown once, on the output; the file keeps its SHA-256, its name, and what it is
bound to. A running ingest follows the file by itself.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from services.cli.agency_file import (
    FOLDER,
    KEYS_MAX,
    NewKey,
    check_id,
    make_key,
    replace_keys,
    write_agency,
)
from services.cli.render import Column, print_table, to_json
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Agency, AgencyKey
from shared.clock import Clock, SystemClock
from shared.errors import FatalError

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
LastDay = Annotated[
    str | None,
    typer.Option(help="The last local day on which it is valid, like 2027-06-30."),
]
# How running services learn of it; said after every change.
FOLLOWED: Final = "a running ingest follows within UPTAKE_AGENCIES_POLL_SECONDS"


def issue(
    *,
    agency_id: AgencyId,
    catalogue: Directory,
    last_day: LastDay = None,
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", help="Only as this and below. May be repeated."),
    ] = None,
    indicators: Annotated[
        str | None, typer.Option(help="Only these, separated by commas.")
    ] = None,
    locality: Annotated[
        str | None, typer.Option(help="Only for this and below.")
    ] = None,
) -> None:
    """Give an agency a key, which may be bound to a part of what it may report."""
    filename, agency = find_agency(catalogue, agency_id)
    names = None if indicators is None else indicators.split(",")
    key = _make_next(agency)
    bound = replace(
        key.stored,
        last_day=parse_day(last_day),
        sources=tuple(sources) if sources else None,
        indicators=None if names is None else frozenset(map(str.strip, names)),
        locality=locality,
    )
    _write(catalogue, filename, (*agency.keys, bound))
    show_key(key)


def rotate(
    *,
    agency_id: AgencyId,
    catalogue: Directory,
    finish: Annotated[
        bool, typer.Option("--finish", help="Take the older key away instead.")
    ] = False,
    old_until: Annotated[
        str | None,
        typer.Option(help="The older key's last local day, like 2026-12-31."),
    ] = None,
) -> None:
    """Give an agency a second key beside the first; --finish ends the first.

    Until then, or until the older key's last day, both are valid, so the agency changes
    over without a gap. The new key is bound as the older one is. Also gives the first
    key to an agency that has none.
    """
    filename, agency = find_agency(catalogue, agency_id)
    if finish:
        if len(agency.keys) < KEYS_MAX:
            raise FatalError(f"{agency_id} has one key or none; nothing to finish")
        kept = agency.keys[-1]
        _write(catalogue, filename, (kept,))
        print(f"{agency_id}: only key {kept.id} is valid now; {FOLLOWED}")
        return
    key = _make_next(agency)
    keys, stored = list(agency.keys), key.stored
    if keys:
        stored = replace(keys[-1], id=stored.id, sha256=stored.sha256, last_day=None)
        if old_until is not None:
            keys[-1] = replace(keys[-1], last_day=parse_day(old_until))
    _write(catalogue, filename, (*keys, stored))
    show_key(key)


def revoke(
    *,
    agency_id: AgencyId,
    key_ids: Annotated[
        list[str], typer.Argument(metavar="KEY...", help="Its keys, by name.")
    ],
    catalogue: Directory,
) -> None:
    """Take keys away from an agency, at once; its other keys stay valid."""
    filename, agency = find_agency(catalogue, agency_id)
    has = [key.id for key in agency.keys]
    for key_id in key_ids:
        if key_id not in has:
            raise FatalError(
                f"{agency_id} has no key {key_id}; it has {', '.join(has) or 'none'}"
            )
    kept = [key for key in agency.keys if key.id not in key_ids]
    _write(catalogue, filename, kept)
    left = " and ".join(f"key {key.id}" for key in kept)
    print(
        f"{agency_id}: {', '.join(key_ids)} revoked, "
        f"{f'{left} left' if kept else 'no key left: it cannot send over HTTP'}; "
        f"{FOLLOWED}"
    )


def list_keys(
    *,
    catalogue: Directory,
    agency_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only this agency's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List keys by name, with their last day and what they are bound to."""
    print_keys(catalogue, agency_id, SystemClock(), as_json=as_json)


def print_keys(
    catalogue: Path, agency_id: str | None, clock: Clock, *, as_json: bool
) -> None:
    """Print the keys of one agency or of all, as of now."""
    loaded = load_catalogue(catalogue)
    if agency_id is not None:
        agencies = [find_agency(catalogue, agency_id)[1]]
    else:
        agencies = sorted(loaded.agencies.values(), key=lambda agency: agency.id)
    today = clock.now().astimezone(ZoneInfo(loaded.timezone)).date()
    keys = [(agency, key) for agency in agencies for key in agency.keys]
    if as_json:
        described = [_as_json(agency, key, today) for agency, key in keys]
        print(to_json({"keys": described}), end="")
        return
    if not keys:
        print("no keys; uptake agency issue makes one")
        return
    columns = (
        Column("agency", is_code=True),
        Column("key", is_code=True),
        Column("last day", is_code=True),
        Column("bound to"),
    )
    rows = [
        (agency.id, key.id, _last_day_of(key, today), " ".join(_bindings(key)) or "-")
        for agency, key in keys
    ]
    print_table(columns, rows)


def find_agency(catalogue: Path, agency_id: str) -> tuple[str, Agency]:
    """Find an agency and the name of its file.

    Raises:
        FatalError: There is none, or its file is called something else.
    """
    agency = load_catalogue(catalogue).agency(agency_id)
    if agency is None:
        raise FatalError(f"no agency {agency_id}; `uptake agency list` lists them")
    filename = f"{check_id(agency_id)}.yaml"
    if not (catalogue / FOLDER / filename).is_file():
        raise FatalError(f"agency {agency_id} is not in {FOLDER}/{filename}; rename it")
    return filename, agency


def parse_day(text: str | None) -> date | None:
    """Read a day as it is typed.

    Raises:
        FatalError: It is none.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise FatalError(f"{text!r} is not a day; write one like 2027-06-30") from error


def show_key(key: NewKey) -> None:
    """Print the key on the output, all else on the error stream, for pipes."""
    print(f"key {key.id}, shown once; only its SHA-256 is kept:", file=sys.stderr)
    print(key.text)


def _write(catalogue: Path, filename: str, keys: Sequence[AgencyKey]) -> None:
    path = catalogue / FOLDER / filename
    text = replace_keys(path.read_text(encoding="utf-8"), keys)
    write_agency(catalogue, filename, text, is_new=False)
    print(f"wrote {path}; {FOLLOWED}", file=sys.stderr)


def _make_next(agency: Agency) -> NewKey:
    """Make a key with the next number.

    Names go up and are not given again while a later one is there, since log lines
    name keys by them.

    Raises:
        FatalError: The agency has two.
    """
    if len(agency.keys) >= KEYS_MAX:
        raise FatalError(
            f"{agency.id} has two keys; first: rotate {agency.id} --finish, "
            f"or revoke {agency.id} KEY"
        )
    numbers = [key.id.removeprefix("key-") for key in agency.keys]
    last = max((int(number) for number in numbers if number.isdecimal()), default=0)
    return make_key(f"key-{last + 1}")


def _last_day_of(key: AgencyKey, today: date) -> str:
    if key.last_day is None:
        return "-"
    return f"{key.last_day}{' (over)' if key.last_day < today else ''}"


def _bindings(key: AgencyKey) -> list[str]:
    return [
        *(key.sources or ()),
        *sorted(key.indicators or ()),
        *([] if key.locality is None else [key.locality]),
    ]


def _as_json(agency: Agency, key: AgencyKey, today: date) -> dict[str, object]:
    return {
        "agency": agency.id,
        "key": key.id,
        "last_day": None if key.last_day is None else key.last_day.isoformat(),
        "is_valid": key.last_day is None or key.last_day >= today,
        "sources": agency.sources if key.sources is None else key.sources,
        "indicators": sorted(key.indicators or agency.indicators),
        "locality": key.locality or agency.locality,
    }
