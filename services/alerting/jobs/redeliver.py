"""`uptake alerts redeliver`: what webhooks were not told, sent to them again.

Nothing is sent from here: what was given up waits again, and the service that runs
sends it as it sends everything else, and writes down that it does.
"""

import argparse
import getpass
import socket
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from services.alerting.store import WebhookStore
from services.alerting.store.webhooks import DeadMessage
from shared.errors import FatalError
from shared.settings import PostgresSettings, describe_settings

ABOUT: Final = (
    "Send to webhooks again what was given up: one delivery by its number, or all of a "
    "receiver, a target, an agency or a fingerprint, or --all. They wait anew, with "
    "the same ids and bytes, and alerting sends them. Who was told later of the same "
    "alert is not told of what came before, unless it is named by its number. Exit "
    "status: 0 done, 1 with a reason, 2 bad settings."
)
MESSAGES_MAX: Final = 10_000
"""At a time; whoever has more of them repeats the command."""
NUMBER_DIGITS_MAX: Final = 18
NAME_CHARACTERS_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be sent again.

    Attributes:
        number: Of one delivery.
        about: Receiver, target, agency or fingerprint; with neither, everything.
        confirmed: Whether nobody need be asked.
    """

    number: int | None
    about: str | None
    confirmed: bool


def parse_wanted(arguments: Sequence[str]) -> Wanted:
    """Read the command line; ends the process where it makes no sense."""
    parser = argparse.ArgumentParser(
        "uptake alerts redeliver",
        description=textwrap.fill(ABOUT, 80),
        epilog="settings (environment only):\n" + describe_settings(PostgresSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "which",
        metavar="WHICH",
        nargs="?",
        help="number of a delivery (uptake alerts deliveries shows it), receiver, "
        "target, agency or fingerprint",
    )
    parser.add_argument("--all", action="store_true", help="all that was given up")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    which: str | None = options.which
    if (which is None) != options.all:
        parser.error("say which, or --all")
    is_number = which is not None and which.isascii() and which.isdecimal()
    if which is None or not is_number or len(which) > NUMBER_DIGITS_MAX:
        return Wanted(None, which, options.yes)
    return Wanted(int(which), None, options.yes)


async def redeliver(
    store: WebhookStore, wanted: Wanted, confirm: Callable[[str], bool], by: str
) -> list[str]:
    """Have webhooks told again of what was given up.

    One transaction: it is all done, or nothing is.

    Args:
        store: Holds what was given up.
        wanted: Which of it.
        confirm: Asks whoever waits; not called where that was done before.
        by: Who has it sent, for the record.

    Returns:
        What was done, in lines.

    Raises:
        FatalError: There is nothing to send, or it was not wanted after all.
        TransientError: Postgres is away.
    """
    found = await store.dead(wanted.number, wanted.about, MESSAGES_MAX)
    # In order within an alert: an old `firing` after its `resolved` would wake somebody
    # for nothing.
    chosen = [
        each for each in found if wanted.number is not None or not each.is_overtaken
    ]
    left_out = len(found) - len(chosen)
    notes = _notes(left_out, is_full=len(found) == MESSAGES_MAX)
    if not chosen:
        what = "nothing was given up" if not found else "nothing to send again"
        raise FatalError("; ".join([f"{what}; `uptake alerts deliveries`", *notes]))
    question = f"send again: {_summary(chosen)}?"
    if not wanted.confirmed and not confirm(question):
        raise FatalError("nothing was sent again")
    again = await store.send_again([each.delivery_id for each in chosen], by)
    return [f"{again:,} sent again: {_summary(chosen)}", *notes]


def _summary(messages: Sequence[DeadMessage]) -> str:
    counts = Counter(each.receiver for each in messages)
    return ", ".join(f"{count:,} to {name}" for name, count in sorted(counts.items()))


def _notes(left_out: int, *, is_full: bool) -> list[str]:
    notes = []
    if left_out:
        notes.append(f"{left_out:,} left out: told of something later since")
    if is_full:
        notes.append(f"the oldest {MESSAGES_MAX:,} were looked at; repeat for more")
    return notes


def ask_at_terminal(question: str) -> bool:
    """Ask whoever waits at a terminal; without one nobody can answer.

    Raises:
        FatalError: There is no terminal.
    """
    if not sys.stdin.isatty():
        raise FatalError(f"{question} add --yes")
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def operator() -> str:
    """Name who runs this process: the user and the machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A container's user need not have a name.
        user = "unknown"
    return f"{user}@{socket.gethostname()}"[:NAME_CHARACTERS_MAX]
