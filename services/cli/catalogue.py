"""`uptake catalogue`: whether the files are right, and what they say."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from services.cli.render import Column, figure, print_table, to_json
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Catalogue, Effect, EventType, LocalityKind
from shared.catalogue.successors import find_unsucceeded
from shared.clock import SystemClock

_KINDS: Final = (
    (LocalityKind.PROVINCE, "provinces"),
    (LocalityKind.COMMUNE, "communes"),
)

NAMED_MAX: Final = 5

app = typer.Typer(no_args_is_help=True, help="The catalogue's files.")

Directory = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        envvar="UPTAKE_CATALOGUE",
        help="Directory of the catalogue.",
        show_default=False,
    ),
]


@app.command("check")
def check(*, directory: Directory) -> None:
    """Check the files; every problem is one line, and the exit status then 1."""
    catalogue = load_catalogue(directory)
    print(f"{directory} is valid:\n  {summarize(catalogue)}")
    today = SystemClock().now().astimezone(ZoneInfo(catalogue.timezone)).date()
    if over := find_unsucceeded(catalogue.targets.values(), today):
        some = ", ".join(over[:NAMED_MAX])
        more = f" and {len(over) - NAMED_MAX} more" if len(over) > NAMED_MAX else ""
        print(f"  over, without a successor: {some}{more}")


@app.command("show")
def show(
    *,
    directory: Directory,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show indicators, event types and targets."""
    catalogue = load_catalogue(directory)
    if as_json:
        print(to_json(_as_json(catalogue)), end="")
        return
    print(f"{catalogue.name}\n  {summarize(catalogue)}")
    print(f"  time zone {catalogue.timezone}, open for {catalogue.window_days} days\n")
    print_table(
        (
            Column("indicator", is_code=True),
            Column("measure"),
            Column("amount"),
            Column("name"),
        ),
        [
            (one.id, one.measure, "VND" if one.has_amount else "", one.name)
            for one in catalogue.indicators.values()
        ],
    )
    print()
    print_table(
        (Column("event type"), Column("effect"), Column("indicator")),
        [
            (one.type, _effect(one.effect, one.sign), _indicator(one))
            for one in catalogue.event_types.values()
        ],
    )
    if catalogue.targets:
        print()
        _print_targets(catalogue)


def summarize(catalogue: Catalogue) -> str:
    """Say in a line how much the catalogue holds."""
    kinds = Counter(locality.kind for locality in catalogue.tree)
    parts = [
        (len(catalogue.indicators), "indicators"),
        *((kinds[kind], name) for kind, name in _KINDS),
        (len(catalogue.agencies), "agencies"),
        (len(catalogue.targets), "targets"),
    ]
    return ", ".join(f"{number:,} {what}" for number, what in parts)


def _effect(effect: Effect, sign: int) -> str:
    return f"{effect} {'+' if sign > 0 else '-'}" if sign else effect.value


def _indicator(type_: EventType) -> str:
    if type_.effect is Effect.REVERSE:
        return ""
    return type_.indicator or "named by the event"


def _print_targets(catalogue: Catalogue) -> None:
    columns = (
        Column("target"),
        Column("indicator", is_code=True),
        Column("locality"),
        Column("goal", is_figure=True),
        Column("due", is_figure=True),
    )
    rows = [
        (
            f"{one.id}{' *' if one.illustrative else ''}",
            one.indicator,
            one.locality.code,
            figure(one.goal_value),
            str(one.due),
        )
        for one in catalogue.targets.values()
    ]
    print_table(columns, rows)
    if any(one.illustrative for one in catalogue.targets.values()):
        print("* illustrative: not a target that anybody has set")


def _as_json(catalogue: Catalogue) -> dict[str, object]:
    return {
        "name": catalogue.name,
        "timezone": catalogue.timezone,
        "window_days": catalogue.window_days,
        "indicators": list(catalogue.indicators.values()),
        "event_types": list(catalogue.event_types.values()),
        "localities": dict(Counter(one.kind.value for one in catalogue.tree)),
        "agencies": sorted(catalogue.agencies),
        "populations": list(catalogue.populations),
        "targets": list(catalogue.targets.values()),
    }
