"""`uptake ingest` and its like: this process becomes the service."""

import os
import sys
from collections.abc import Callable
from typing import NoReturn

import typer

from services.cli.shipped import CODE_ROOT

# The service reads its own arguments, `--help` among them.
PASS_THROUGH = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}


def become(service: str) -> Callable[[typer.Context], None]:
    """Make the command that replaces this process by a service."""

    def run(context: typer.Context) -> None:
        become_now(service, context.args)

    run.__name__ = service
    run.__doc__ = f"Run the {service} service (--help lists its settings)."
    return run


def become_verb(service: str, verb: str, about: str) -> Callable[[typer.Context], None]:
    """Make the command that replaces this process by a long verb of a service."""

    def run(context: typer.Context) -> None:
        become_now(service, [verb, *context.args])

    run.__name__ = verb
    run.__doc__ = about
    return run


def become_now(service: str, arguments: list[str]) -> NoReturn:
    """Replace this process by a service, or by a verb of its that comes first."""
    inherited = [str(CODE_ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in inherited if part)
    command = [sys.executable, "-m", f"services.{service}", *arguments]
    os.execv(sys.executable, command)  # noqa: S606 -- no shell, our own module
