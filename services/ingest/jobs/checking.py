"""Deciding on events without any server: the verb behind `uptake send --check`.

Decides as the door does, by the same function, on a catalogue and an instant. Reads
batches on the standard input, a JSON array a line, and answers each with a receipt, a
JSON object a line; nothing is sent anywhere and nothing is kept.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO

from services.ingest.core.admission import open_door
from services.ingest.core.receipt import decide
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Agency, Catalogue
from shared.errors import FatalError

VERB: Final = "check"
LISTED_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class CheckOrder:
    """What events are checked against.

    Attributes:
        catalogue: Its directory.
        agency: Whose events they are; None for the owner of the first event's source.
        at: The instant at which they are judged.
    """

    catalogue: Path
    agency: str | None
    at: datetime


def parse_check(arguments: Sequence[str], now: datetime) -> CheckOrder:
    """Read the command line; ends the process with 2 where it makes no sense.

    Args:
        arguments: What follows the verb.
        now: The instant of events for which none is named.
    """
    parser = argparse.ArgumentParser(prog=f"uptake ingest {VERB}", allow_abbrev=False)
    parser.add_argument("--catalogue", type=Path, required=True, metavar="DIR")
    parser.add_argument("--agency", metavar="ID")
    parser.add_argument("--at", type=_instant, default=now, metavar="INSTANT")
    options = parser.parse_args(arguments)
    return CheckOrder(options.catalogue, options.agency, options.at)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        message = "no offset from UTC"
        raise argparse.ArgumentTypeError(message)
    return instant


def check_batches(order: CheckOrder, batches: TextIO, answers: TextIO) -> None:
    """Answer each batch with the receipt that the door would give.

    Raises:
        FatalError: The catalogue is wrong, or has no such agency.
    """
    catalogue = load_catalogue(order.catalogue)
    agency = None if order.agency is None else _named(catalogue, order.agency)
    for line in batches:
        events = json.loads(line)
        if agency is None:
            agency = _owner(catalogue, events)
        decided = decide(events, open_door(catalogue, agency, order.at))
        answers.write(json.dumps(decided.receipt(len(decided.admitted))) + "\n")
        answers.flush()


def _named(catalogue: Catalogue, name: str) -> Agency:
    agency = catalogue.agency(name)
    if agency is None:
        raise FatalError(f"no agency {name!r}; {_list_agencies(catalogue)}")
    return agency


def _owner(catalogue: Catalogue, events: Sequence[object]) -> Agency:
    first = events[0] if events else None
    source = first.get("source") if isinstance(first, dict) else None
    agency = catalogue.agency_for_source(str(source))
    if agency is None:
        raise FatalError(
            f"no agency has the source {source!r}; name one: "
            f"{_list_agencies(catalogue)}"
        )
    return agency


def _list_agencies(catalogue: Catalogue) -> str:
    names = sorted(catalogue.agencies)
    more = ", ..." if len(names) > LISTED_MAX else ""
    return f"the catalogue has {', '.join(names[:LISTED_MAX])}{more}"


def run_check(arguments: Sequence[str], now: datetime) -> int:
    """Check what comes on the standard input; return the exit status."""
    check_batches(parse_check(arguments, now), sys.stdin, sys.stdout)
    return 0
