"""`uptake event`: what became of events, by source and id."""

import asyncio
import os
from typing import Annotated, Final

import aiohttp
import typer
from pydantic import ValidationError

from services.cli.board_client import DEFAULT_URL, ask_receipts
from services.cli.reading import open_snapshot
from services.cli.render import figure, instant, plain, to_json
from shared.errors import FatalError
from shared.events.receipts_v1 import (
    ASKED_MAX,
    AskedEventV1,
    EventReceiptV1,
    ReceiptState,
    ReceiptsV1,
)
from shared.postgres.receipts import read_receipts
from shared.settings import PostgresSettings, load_settings

DSN: Final = "UPTAKE_POSTGRES_DSN"
MEANINGS: Final = {
    ReceiptState.COUNTED: "in the ledger and in its total",
    ReceiptState.VOIDED: "in the ledger; a reversal took it out of its total",
    ReceiptState.REVERSED: "a reversal that was taken",
    ReceiptState.REJECTED: "accepted, and could not be applied",
    ReceiptState.NOT_SEEN: "no record with this source and id has been applied",
    ReceiptState.FORGOTTEN: "the ledger does not reach back to its time",
}


def event(
    *,
    source: Annotated[str, typer.Argument(help="Like /vn/38/voso.")],
    ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Ids that you chose.")
    ],
    url: Annotated[
        str, typer.Option("--url", envvar="UPTAKE_BOARD_URL", help="The board.")
    ] = DEFAULT_URL,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="UPTAKE_KEY",
            metavar="KEY",
            help="Your agency's key. Rather set UPTAKE_KEY: a command line can be read "
            "by others.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what became of events: counted, voided, reversed, rejected or not seen.

    Reads UPTAKE_POSTGRES_DSN where it is set, as the operator's commands do; else asks
    the board with the agency's key.
    """
    asked = _asked(source, ids)
    told = asyncio.run(_read(asked) if DSN in os.environ else _ask(url, key, asked))
    if as_json:
        print(to_json(told.model_dump(mode="json")), end="")
    else:
        print("\n".join(describe(told)))


def _asked(source: str, ids: list[str]) -> list[AskedEventV1]:
    if len(ids) > ASKED_MAX:
        raise FatalError(f"{len(ids):,} ids; give at most {ASKED_MAX:,}")
    try:
        return [AskedEventV1(source=source, id=id_) for id_ in ids]
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise FatalError(f"{fault['loc'][0]}: {fault['msg'].lower()}") from error


async def _read(asked: list[AskedEventV1]) -> ReceiptsV1:
    async with open_snapshot(load_settings(PostgresSettings)) as snapshot:
        return await read_receipts(snapshot, asked, agency=None)


async def _ask(url: str, key: str | None, asked: list[AskedEventV1]) -> ReceiptsV1:
    if key is None:
        raise FatalError(
            f"set UPTAKE_KEY, your agency's key, to ask the board; or {DSN}, to read "
            "the views"
        )
    async with aiohttp.ClientSession() as session:
        return await ask_receipts(session, url, key, asked)


def describe(told: ReceiptsV1) -> list[str]:
    """Say what became of events, a few short lines each."""
    lines = [line for receipt in told.receipts for line in _describe_one(receipt)]
    complete = told.complete_up_to
    said = "not known yet" if complete is None else instant(complete)
    lines.append(f"complete up to {said}")
    if ReceiptState.NOT_SEEN in told.states:
        lines.append(
            "  not_seen: what was acknowledged before that is not in the log; of what "
            "came\n  later, ask again"
        )
        if told.kept_since is not None:
            lines.append(
                f"  what happened before {instant(told.kept_since)} may have been "
                "forgotten"
            )
    return lines


def _describe_one(receipt: EventReceiptV1) -> list[str]:
    lines = [
        f"{plain(receipt.source)} {plain(receipt.id)}",
        f"  {receipt.state}: {MEANINGS[receipt.state]}",
    ]
    if receipt.offset is not None:
        lines.append(
            f"  record    {receipt.partition}/{receipt.offset}, logged "
            f"{instant(receipt.logged_at)}"
        )
    if receipt.code is not None:
        lines += [
            f"  code      {receipt.code}",
            f"  detail    {plain(receipt.detail or '')}",
        ]
    lines += _describe_total(receipt)
    if receipt.voided_by is not None:
        lines.append(f"  voided by {receipt.partition}/{receipt.voided_by}")
    if receipt.conflict is not None:
        conflict = receipt.conflict
        place = f"{conflict.partition}/{conflict.offset}"
        lines += [
            f"  then      {place} was rejected as {conflict.code},",
            f"            logged {instant(conflict.logged_at)}",
            f"            {plain(conflict.detail)}",
        ]
    return lines


def _describe_total(receipt: EventReceiptV1) -> list[str]:
    if receipt.indicator is None:
        return []
    where = f"{receipt.locality or 'no locality'}, {receipt.day}"
    lines = [
        f"  type      {receipt.type}",
        f"  total     {receipt.indicator}, {where}: {figure(receipt.count)}",
    ]
    if receipt.amount:
        lines.append(f"  amount    {figure(receipt.amount)} VND")
    return lines
