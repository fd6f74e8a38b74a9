"""The `uptake` command: registers the commands, and says what went wrong in a line."""

import logging
import os
import sys
from collections.abc import Iterator
from typing import Final

import typer

from services.cli import agency, catalogue, reader, rejected, service, targets_group
from services.cli.alerts import alerts
from services.cli.demo import demo
from services.cli.embedded.errors import ServerStartError
from services.cli.event import event
from services.cli.local_stack import local_environment
from services.cli.migrate import migrate
from services.cli.reconcile import reconcile
from services.cli.send import send
from services.cli.simulate.command import simulate
from services.cli.totals import totals
from services.cli.up import up
from shared.errors import CatalogueError, UptakeError

SERVICES: Final = ("ingest", "aggregation", "alerting", "board")
# These start or are a system of their own and take none that they happen to find.
SELF_SUFFICIENT: Final = frozenset({"up", "demo", "migrate", *SERVICES})

app = typer.Typer(
    name="uptake",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def uptake(context: typer.Context) -> None:
    """Exact counts of digital uptake, and warnings while there is still time."""
    if context.invoked_subcommand not in SELF_SUFFICIENT:
        os.environ.update(local_environment(os.environ))


app.command()(up)
app.command()(demo)
app.command()(migrate)
for name in SERVICES:
    app.command(name, context_settings=service.PASS_THROUGH)(service.become(name))
app.command()(simulate)
app.command()(send)
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(agency.app, name="agency")
app.add_typer(reader.app, name="reader")
app.command()(event)
app.command()(reconcile)
app.add_typer(rejected.app, name="rejected")
app.command("rebuild", context_settings=service.PASS_THROUGH)(
    service.become_verb(
        "aggregation",
        "rebuild",
        "Rebuild ledger and totals from the log while the old ones serve.",
    )
)
app.command("republish", context_settings=service.PASS_THROUGH)(
    service.become_verb(
        "aggregation",
        "republish",
        "Publish all totals again, after uptake.totals was made anew.",
    )
)
app.command()(alerts)
app.add_typer(targets_group.app, name="targets")
app.command()(totals)


def main() -> None:
    """Run the command line and end the process with its exit status.

    Errors become lines, never a traceback; Ctrl-C ends with 130 and says nothing.
    """
    # What goes wrong is said once, by us; libraries would say it again in their words.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        app(prog_name="uptake")
    except Exception as error:  # noqa: BLE001 -- the outermost frame of the command
        sys.exit(_complain(error))


def _complain(error: Exception) -> int:
    """Print what went wrong; a bug's traceback only where it is asked for."""
    for leaf in _leaves(error):
        if isinstance(leaf, CatalogueError):
            lines = list(leaf.problems)
        elif isinstance(leaf, UptakeError | ServerStartError):
            lines = [" ".join(str(leaf).split())]
        elif os.environ.get("UPTAKE_LOG_LEVEL") == "DEBUG":
            raise error
        else:
            what = f"a bug: {type(leaf).__name__}: {leaf}"
            lines = [f"{what} (UPTAKE_LOG_LEVEL=DEBUG shows where)"]
        for line in lines:
            print(f"uptake: {line}", file=sys.stderr)
    return 1


def _leaves(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


if __name__ == "__main__":
    main()
