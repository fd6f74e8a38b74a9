"""`uptake rejected`: what was turned away, why, and what became of it.

Records of the log that aggregation could not apply, and those of agencies' own topics
that ingest refused; a refusal over HTTP is told to its sender and kept nowhere.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

import typer

from services.cli.rejected_show import describe, find_record, to_object
from services.cli.render import LOCAL_TIME, Column, instant, print_table, to_json
from services.cli.service import PASS_THROUGH, become_verb
from shared.errors import KEPT_CODES, FatalError
from shared.events.settled_v1 import RejectedState
from shared.kafka.rejected import (
    RejectedFilter,
    RejectedIndex,
    RejectedRow,
    parse_coordinates,
    place_of,
    read_index,
)
from shared.settings import KafkaSettings, load_settings

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
SHOWN_MAX: Final = 100_000

app = typer.Typer(
    no_args_is_help=True,
    help="Records that were rejected, or refused in an agency's own topic: list, "
    "show, redrive, drop.",
)


def parse_code(text: str) -> str:
    """Take a code that a record can be kept with.

    Raises:
        typer.BadParameter: There is no such code; every one is named.
    """
    if text not in KEPT_CODES:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(KEPT_CODES)}")
    return text


@app.command("list")
def list_rejected(
    *,
    code: Annotated[
        str | None,
        typer.Option(metavar="CODE", parser=parse_code, help="Only of this code."),
    ] = None,
    agency: Annotated[
        str | None, typer.Option(metavar="ID", help="Only of this agency.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT", help="Logged since a day, or an instant of RFC 3339."
        ),
    ] = None,
    state: Annotated[
        RejectedState | None, typer.Option(help="Only in this state.")
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=SHOWN_MAX, help="Most rows shown.")
    ] = 1_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List rejected records, the latest first; reads UPTAKE_KAFKA_BOOTSTRAP_SERVERS.

    A record is open until it is redriven or dropped. One that was redriven and
    rejected again is another record, at its new place.
    """
    settings = load_settings(KafkaSettings)
    wanted = RejectedFilter(
        code=code, agency=agency, since=_parse_since(since), state=state
    )
    with RejectedIndex() as index:
        asyncio.run(read_index(settings, index))
        counts = index.count(wanted)
        rows = tuple(index.newest(wanted, limit))
    if as_json:
        told = {"counts": counts, "records": rows}
        print(to_json(told), end="")
    else:
        _print(rows, counts)


@app.command("show")
def show(
    *,
    record: Annotated[
        str, typer.Argument(metavar="PARTITION/OFFSET", help="Where it stood.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a rejected record in full, and why it was rejected."""
    settings = load_settings(KafkaSettings)
    (wanted,) = parse_coordinates((record,))
    found = asyncio.run(find_record(settings, wanted))
    if found is None:
        raise FatalError(
            f"no rejected record {place_of(wanted)}; `uptake rejected list` lists them"
        )
    if as_json:
        print(to_json(to_object(found)), end="")
    else:
        print("\n".join(describe(found)))


def _parse_since(text: str | None) -> datetime | None:
    """Read a day, which begins at its midnight in Vietnam, or an instant."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is not None and _DAY.fullmatch(text):
        return found.replace(tzinfo=LOCAL_TIME)
    if found is None or found.tzinfo is None:
        raise FatalError(
            f"--since {text!r}: use a day like 2026-11-21, or an instant like "
            "2026-11-21T09:00:00+07:00"
        )
    return found


def _print(rows: Sequence[RejectedRow], counts: Mapping[RejectedState, int]) -> None:
    total = sum(counts.values())
    if not total:
        print("no rejected record")
        return
    columns = (
        Column("record", is_figure=True),
        Column("state", is_code=True),
        Column("code", is_code=True),
        Column("agency"),
        Column("logged", is_code=True),
        Column("became"),
    )
    lines = [
        (
            place_of(row.id),
            row.state,
            row.code,
            row.agency or "-",
            instant(row.logged_at),
            _became(row),
        )
        for row in rows
    ]
    print_table(columns, lines)
    said = ", ".join(f"{count:,} {state}" for state, count in counts.items())
    more = f"; the latest {len(rows):,} shown" if len(rows) < total else ""
    print(f"  {total:,}: {said}{more}")
    print("uptake rejected show PARTITION/OFFSET says more")


def _became(row: RejectedRow) -> str:
    return f"at {row.sent_to}" if row.sent_to else row.reason or ""


for _verb, _about in (
    ("redrive", "Send rejected records to the log again, bytes unchanged."),
    ("drop", "Mark rejected records as given up, with a reason."),
):
    app.command(_verb, context_settings=PASS_THROUGH)(
        become_verb("ingest", _verb, _about)
    )
