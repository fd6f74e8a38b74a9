"""`uptake send`: the rows of CSV, NDJSON and XLSX files, as events, to ingest."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import typer

from services.cli import send_options as options
from services.cli.send_check import Check
from services.cli.send_files import FileProblemError
from services.cli.send_mapping import Wishes, settle_reading
from services.cli.send_parts import detect_parts
from services.cli.send_plan import Plan, plan_file
from services.cli.send_run import check_all, send_all, undo_all
from services.cli.shipped import shipped_catalogue
from shared.errors import UptakeError

EXIT_NOTHING_SENT: Final = 2


def send(
    *,
    files: options.Files,
    source: options.Source = None,
    type_: options.Type = None,
    indicator: options.Indicator = None,
    url: options.Url = "http://127.0.0.1:8080",
    key: options.Key = None,
    board: options.Board = None,
    as_json: options.AsJson = False,
    id_column: options.IdColumn = None,
    mapping: options.Mapping = None,
    mapping_path: options.MappingPath = None,
    timezone: options.Timezone = None,
    dates: options.Dates = None,
    thousands: options.Thousands = None,
    header: options.Header = None,
    sheets: options.Sheets = None,
    dry_run: options.DryRun = False,
    undo: options.Undo = False,
    from_start: options.FromStart = False,
    give_up_after: options.GiveUpAfter = 600,
    wait: options.Wait = 60,
    check: options.CheckOnly = False,
    catalogue: options.Catalogue = None,
    agency: options.Agency = None,
    at: options.At = None,
) -> None:
    """Send files; a file sent again is harmless.

    Rows turned away are listed in NAME.refused.csv beside the file, to be
    corrected and sent. After an interruption the same command goes on. What
    was sent is noted in NAME.sent, for --undo. With --board you are told in the
    end what was counted.

    Exit status: 0 if all rows were accepted, 1 if any was refused or rejected,
    2 if nothing could be sent.
    """
    delivery = options.Delivery(
        url, key, dry_run, give_up_after, from_start, board or None, wait
    )
    said = (source, type_, indicator, mapping or (), id_column, timezone, dates)
    wishes = Wishes(*said, thousands, header, sheets or ())
    try:
        _check_choice(check=check, undo=undo, dry_run=dry_run)
        _check_key(key)
        if undo:
            status = undo_all(_distinct(files), delivery)
        elif check:
            where = shipped_catalogue() if catalogue is None else catalogue
            against = Check(where, agency, _check_instant(at))
            plans = _plan(files, wishes, mapping_path)
            status = check_all(plans, against, is_json=as_json)
        else:
            plans = _plan(files, wishes, mapping_path)
            status = send_all(plans, delivery, is_json=as_json)
    except UptakeError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        raise typer.Exit(EXIT_NOTHING_SENT) from None
    raise typer.Exit(status)


def _plan(
    files: Sequence[Path], wishes: Wishes, mapping_path: Path | None
) -> list[Plan]:
    """Check all files to their ends, before any is sent."""
    reading = settle_reading(wishes, mapping_path)
    return [
        plan_file(
            path,
            detect_parts(path, reading.sheets, reading.header_row),
            reading.chosen,
            reading.defaults,
        )
        for path in _distinct(files)
    ]


def _distinct(files: Sequence[Path]) -> list[Path]:
    """Drop files named twice; a second copy of one would only repeat its ids."""
    return list({path.absolute(): path for path in reversed(files)}.values())[::-1]


def _check_choice(*, check: bool, undo: bool, dry_run: bool) -> None:
    if check and (undo or dry_run):
        raise FileProblemError(
            "--check asks no server: give neither --undo nor --dry-run"
        )


def _check_key(key: str | None) -> None:
    if key is not None and not (key.isascii() and key.isprintable() and key.strip()):
        raise FileProblemError("the key is not a line of printable ASCII characters")


def _check_instant(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise FileProblemError(
            f"--at {text!r}: use an instant like 2026-11-21T12:00:00+07:00"
        )
    return text
