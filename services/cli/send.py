"""`uptake send`: the rows of CSV and NDJSON files, as events, to ingest."""

import asyncio
import sys
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import aiohttp
import typer

from services.cli import send_options as options
from services.cli.interrupt import EXIT_INTERRUPTED
from services.cli.send_columns import parse_mapping
from services.cli.send_files import FileProblemError, detect_layout
from services.cli.send_flow import cut_batches, send_batches
from services.cli.send_http import IngestDoor, Outcome, make_session
from services.cli.send_ids import OrdinalCounter
from services.cli.send_plan import EventReader, Plan, plan_file
from services.cli.send_progress import show_progress
from services.cli.send_report import (
    Tally,
    describe_plan,
    open_refused_file,
    summarize,
)
from services.cli.send_rows import RowDefaults
from shared.errors import UptakeError

EXIT_REFUSED: Final = 1
EXIT_NOTHING_SENT: Final = 2
AGAIN: Final = "send it again, nothing counts twice"


def send(
    *,
    files: options.Files,
    source: options.Source = None,
    url: options.Url = "http://127.0.0.1:8080",
    key: options.Key = None,
    id_column: options.IdColumn = None,
    mapping: options.Mapping = None,
    type_: options.Type = None,
    indicator: options.Indicator = None,
    timezone: options.Timezone = "Asia/Ho_Chi_Minh",
    dry_run: options.DryRun = False,
    give_up_after: options.GiveUpAfter = 600,
) -> None:
    """Send files; a file sent again is harmless.

    Rows turned away are listed in NAME.refused.csv beside the file. Exit status: 0
    if all were accepted, 1 if any was refused, 2 if nothing could be sent.
    """
    delivery = options.Delivery(url, key, dry_run, give_up_after)
    try:
        defaults = RowDefaults(source, type_, indicator, _find_zone(timezone))
        chosen = parse_mapping(mapping or (), id_column)
        # All files are checked before any is sent.
        plans = [plan_file(detect_layout(path), chosen, defaults) for path in files]
        _check_key(key)
    except UptakeError as error:
        _complain(str(error))
        raise typer.Exit(EXIT_NOTHING_SENT) from None
    raise typer.Exit(_send_all(plans, delivery))


def _find_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FileProblemError(
            f"--timezone {name!r}: no such time zone; use a name like Asia/Ho_Chi_Minh"
        ) from None


def _check_key(key: str | None) -> None:
    if key is not None and not (key.isascii() and key.isprintable() and key.strip()):
        raise FileProblemError("the key is not a line of printable ASCII characters")


def _complain(line: str) -> None:
    print(line, file=sys.stderr)


def _send_all(plans: Sequence[Plan], delivery: options.Delivery) -> int:
    """Send files one after the other; return the exit status."""
    tallies = [Tally() for _ in plans]
    try:
        asyncio.run(_send_files(plans, tallies, delivery))
    except KeyboardInterrupt:
        _say_stopped("interrupted", tallies, delivery)
        return EXIT_INTERRUPTED
    except UptakeError as error:
        _say_stopped(str(error), tallies, delivery)
        is_any_accepted = any(tally.accepted for tally in tallies)
        return EXIT_REFUSED if is_any_accepted else EXIT_NOTHING_SENT
    return EXIT_REFUSED if any(tally.refused for tally in tallies) else 0


def _say_stopped(
    why: str, tallies: Sequence[Tally], delivery: options.Delivery
) -> None:
    _complain(f"stopped: {why}")
    accepted = sum(tally.accepted for tally in tallies)
    if delivery.is_dry_run:
        _complain("  nothing was sent (dry run)")
    else:
        _complain(f"  {accepted:,} rows accepted until then; {AGAIN}")


async def _send_files(
    plans: Sequence[Plan], tallies: Sequence[Tally], delivery: options.Delivery
) -> None:
    with OrdinalCounter() as counter:
        async with make_session(delivery.key) as session:
            for plan, tally in zip(plans, tallies, strict=True):
                print("\n".join(describe_plan(plan)), flush=True)
                reader = EventReader(plan, counter)
                await _send_file(reader, plan, tally, delivery, session)
                lines = summarize(plan, tally, is_dry_run=delivery.is_dry_run)
                print("\n".join(lines), flush=True)
                _warn_of_equal_rows(plan, reader)


async def _send_file(
    reader: EventReader,
    plan: Plan,
    tally: Tally,
    delivery: options.Delivery,
    session: aiohttp.ClientSession,
) -> None:
    title = "checking" if delivery.is_dry_run else "sending"
    with (
        show_progress(title, plan.row_count) as progress,
        open_refused_file(plan.layout.path) as refused,
    ):

        def settle(outcome: Outcome) -> None:
            tally.add(outcome)
            refused.write(outcome.refused)
            progress.advance(outcome.accepted + len(outcome.refused))

        door = IngestDoor(
            session,
            delivery.url,
            is_dry_run=delivery.is_dry_run,
            patience_seconds=delivery.patience_seconds,
            on_wait=progress.wait,
        )
        await send_batches(cut_batches(reader.read()), door, settle)


def _warn_of_equal_rows(plan: Plan, reader: EventReader) -> None:
    count = reader.equal_to_earlier_files
    if count:
        _complain(
            f"{plan.layout.path}: {count:,} rows equal rows of a file before it and "
            "count once; if they are other facts, give --id, or each file a source "
            "of its own"
        )
