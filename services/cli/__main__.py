"""The `uptake` command: registers the commands, and says what went wrong in a line."""

import importlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Final

import typer

from services.cli import service
from services.cli.embedded.errors import ServerStartError
from services.cli.local_stack import local_environment
from shared.errors import CatalogueError, UptakeError

SERVICES: Final = ("ingest", "aggregation", "alerting", "board")
VERBS: Final[Mapping[str, str]] = {
    "rebuild": "Rebuild ledger and totals from the log while the old ones serve.",
    "republish": "Publish all totals again, after uptake.totals was made anew.",
}
# Where a command stands: a function of its name, or a group as `app`; in the order in
# which --help tells them.
COMMANDS: Final[Mapping[str, str]] = {
    "up": "services.cli.up",
    "demo": "services.cli.demo",
    "migrate": "services.cli.migrate",
    **dict.fromkeys(SERVICES, "services.cli.service"),
    "simulate": "services.cli.simulate.command",
    "send": "services.cli.send",
    "catalogue": "services.cli.catalogue",
    "agency": "services.cli.agency",
    "reader": "services.cli.reader",
    "event": "services.cli.event",
    "reconcile": "services.cli.reconcile",
    "rejected": "services.cli.rejected",
    **dict.fromkeys(VERBS, "services.cli.service"),
    "alerts": "services.cli.alerts",
    "targets": "services.cli.targets_group",
    "totals": "services.cli.totals",
}
# These start or are a system of their own and take none that they happen to find.
SELF_SUFFICIENT: Final = frozenset({"up", "demo", "migrate", *SERVICES})


def uptake(context: typer.Context) -> None:
    """Exact counts of digital uptake, and warnings while there is still time."""
    if context.invoked_subcommand not in SELF_SUFFICIENT:
        os.environ.update(local_environment(os.environ))


def command_line(asked: str = "") -> typer.Typer:
    """Make the command line: of one command where it is known, else of all of them.

    A command does not wait for the libraries of others: all of them take a second.
    """
    app = typer.Typer(
        name="uptake",
        callback=uptake,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in [asked] if asked in COMMANDS else COMMANDS:
        if name in SERVICES:
            become = service.become(name)
            app.command(name, context_settings=service.PASS_THROUGH)(become)
        elif name in VERBS:
            become = service.become_verb("aggregation", name, VERBS[name])
            app.command(name, context_settings=service.PASS_THROUGH)(become)
        else:
            module = importlib.import_module(COMMANDS[name])
            if isinstance(group := getattr(module, "app", None), typer.Typer):
                app.add_typer(group, name=name)
            else:
                app.command(name)(getattr(module, name))
    return app


def main() -> None:
    """Run the command line and end the process with its exit status.

    Errors become lines, never a traceback; Ctrl-C ends with 130 and says nothing.
    """
    # What goes wrong is said once, by us; libraries would say it again in their words.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        command_line("".join(sys.argv[1:2]))(prog_name="uptake")
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
