"""Receipts of every class, from a board beside a system that counts."""

import json
import signal
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from services.cli.board_client import ask_receipts
from shared.events.receipts_v1 import AskedEventV1
from tests.contract.test_board_documents import check, named_schema
from tests.support.board import Board, Receipt
from tests.support.catalogues import KEYS
from tests.support.events import (
    HOANG_LOC,
    event,
    now,
    opened,
    reversal,
)
from tests.support.rebuilding import rebuild
from tests.support.stack import Stack, eventually
from tests.support.uptake_command import run_uptake

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]
Event = dict[str, Any]
DSN = "UPTAKE_POSTGRES_DSN"


def mismatched(original: Event) -> Event:
    """Reverse an event and name another time for it."""
    made = reversal(original)
    made["data"]["time"] = (now() - timedelta(days=1)).isoformat()
    return made


async def send_every_class(stack: Stack) -> dict[str, Event]:
    """Send one of each class, a copy and a conflict; return the events by name."""
    sale = event(
        "uptake.ecommerce.completed", locality=HOANG_LOC, count=3, amount=412_750
    )
    voided, early = opened(5), opened(9)
    stated = event(
        "uptake.indicator.stated",
        indicator="cashless_accounts",
        locality=HOANG_LOC,
        count=100,
        day=now().date().isoformat(),
    )
    control = event(
        "uptake.control.stated",
        indicator="cashless_accounts",
        day=now().date().isoformat(),
        count=7,
    )
    undo, undo_early = reversal(voided), reversal(early)
    wrong = mismatched(sale)
    batch = [sale, sale, voided, undo, undo_early, early, stated, control, wrong]
    answer = await stack.post(batch)
    assert answer.body["refused"] == [], answer
    conflict = {**sale, "data": {**sale["data"], "count": 4}}
    assert (await stack.post(conflict)).status == 202
    await stack.wait_applied(10)
    return {
        "sale": sale,
        "voided": voided,
        "early": early,
        "undo": undo,
        "undo_early": undo_early,
        "stated": stated,
        "control": control,
        "wrong": wrong,
    }


async def told(board: Board, sent: Mapping[str, Event]) -> dict[str, Receipt]:
    """Ask for the receipts of events by name."""
    return dict(zip(sent, await board.receipts(*sent.values()), strict=True))


def check_classes(found: Mapping[str, Receipt], sent: Mapping[str, Event]) -> None:
    """Hold every receipt to what was sent."""
    states = {name: receipt["state"] for name, receipt in found.items()}
    assert states == {
        "sale": "counted",
        "voided": "voided",
        "early": "voided",
        "undo": "reversed",
        "undo_early": "reversed",
        "stated": "counted",
        "control": "counted",
        "wrong": "rejected",
    }
    for name, receipt in found.items():
        assert (receipt["source"], receipt["id"]) == (
            sent[name]["source"],
            sent[name]["id"],
        )
        assert datetime.fromisoformat(receipt["logged_at"]) <= now()
    # In the order of the log: the copy of the sale has an offset of its own.
    offsets = [found[name]["offset"] for name in ("sale", "voided", "undo")]
    first = offsets[0]
    assert offsets == [first, first + 2, first + 3]
    sale = found["sale"]
    assert (sale["indicator"], sale["locality"]) == (
        "ecommerce_transactions",
        HOANG_LOC,
    )
    assert (sale["count"], sale["amount"]) == (3, 412_750)
    assert found["voided"]["voided_by"] == found["undo"]["offset"]
    assert found["early"]["voided_by"] == found["undo_early"]["offset"]
    assert found["early"]["offset"] > found["undo_early"]["offset"]
    assert found["stated"]["count"] == 100
    assert (found["control"]["locality"], found["control"]["count"]) == (None, 7)
    wrong = found["wrong"]
    assert wrong["code"] == "reversal_mismatch"
    assert "data.time is not that of the original" in wrong["detail"]
    assert wrong["offset"] == first + 8


async def test_every_class_has_its_receipt(stack: Stack) -> None:
    """One answer each; a rebuild changes none; both ways of asking say the same."""
    await stack.start("ingest", "aggregation", "board")
    board = Board(stack)
    sent = await send_every_class(stack)
    found = await told(board, sent)
    check_classes(found, sent)
    conflict = found["sale"]["conflict"]
    assert conflict["code"] == "conflicting_duplicate"
    assert conflict["offset"] == found["sale"]["offset"] + 9
    assert [name for name, each in found.items() if each["conflict"]] == ["sale"]

    unknown = opened(1)
    asked = [sent["sale"], unknown, sent["wrong"], sent["sale"]]
    states = [each["state"] for each in await board.receipts(*asked)]
    assert states == ["counted", "not_seen", "rejected", "counted"]
    await check_bounds(board)
    await check_completeness(board, sent)
    await check_foreign(board, sent)
    await check_command(stack, board, sent)
    await rebuild(stack)
    assert await told(board, sent) == found
    # Bytes that are redriven are judged anew and rejected again, further on.
    ran = await run_uptake(stack, "rejected", "redrive", "--all")
    assert ran.status == 0, ran
    await stack.wait_applied(12)
    again = await told(board, sent)
    assert again["wrong"]["offset"] > found["wrong"]["offset"]
    assert again["sale"]["conflict"]["offset"] > conflict["offset"]
    child = stack.children["board"]
    child.send(signal.SIGTERM)
    assert await child.wait(15) == 0, stack.log_tail("board")


async def check_bounds(board: Board) -> None:
    """A thousand at a time, and not one more."""
    many = [{"source": "/test/bank", "id": f"none-{n}"} for n in range(1_001)]
    status, body = await board.post(many[:1_000])
    assert (status, body["states"]) == (200, {"not_seen": 1_000})
    assert [each["id"] for each in body["receipts"]] == [
        each["id"] for each in many[:1_000]
    ]
    asked = [AskedEventV1(**each) for each in many]
    async with aiohttp.ClientSession() as session:
        # Parts of what is asked by the command, and one answer of them.
        all_told = await ask_receipts(session, board.url, KEYS["bank"], asked)
    assert [each.id for each in all_told.receipts] == [each.id for each in asked]
    assert all_told.states == {"not_seen": 1_001}
    status, body = await board.post(many)
    assert (status, body["type"].rpartition("/")[2]) == (413, "too-many-events")


async def check_completeness(board: Board, sent: Mapping[str, Event]) -> None:
    """Once everything up to an instant is applied, not seen means not there."""
    (last,) = await board.receipts(sent["wrong"])

    async def is_complete() -> bool:
        status, body = await board.post([{"source": "/test/bank", "id": "nothing"}])
        assert status == 200
        check(named_schema("ReceiptsV1"), body)
        at = body["complete_up_to"]
        return at is not None and at > last["logged_at"]

    await eventually(is_complete, what="receipts are complete")


async def check_foreign(board: Board, sent: Mapping[str, Event]) -> None:
    """Nobody is told what another one sent, nor whether it was."""
    sale = {"source": sent["sale"]["source"], "id": sent["sale"]["id"]}
    status, body = await board.post([sale], key=KEYS["census"])
    assert (status, body["index"]) == (403, 0)
    assert body["type"].endswith("/source-not-yours")
    own = {"source": "/test/census", "id": "none"}
    status, body = await board.post([own, sale], key=KEYS["census"])
    assert (status, body["index"]) == (403, 1)


async def check_command(stack: Stack, board: Board, sent: Mapping[str, Event]) -> None:
    """`uptake event` says the same from the views and from the board."""
    names = ("sale", "voided", "undo", "wrong")
    words = ["event", "/test/bank", *(sent[name]["id"] for name in names), "none"]
    by_views = await run_uptake(stack, *words, "--json")
    assert by_views.status == 0, by_views
    stack.overrides["UPTAKE_BOARD_URL"] = board.url
    dsn = stack.environment["UPTAKE_POSTGRES_DSN"]
    asking = {"UPTAKE_KEY": KEYS["bank"]}
    by_board = await run_uptake(stack, *words, "--json", without=[DSN], **asking)
    assert by_board.status == 0, by_board
    receipts = [json.loads(ran.out)["receipts"] for ran in (by_views, by_board)]
    assert receipts[0] == receipts[1]
    assert [each["state"] for each in receipts[0]] == [
        *("counted", "voided", "reversed", "rejected", "not_seen"),
    ]
    ran = await run_uptake(stack, *words, without=[DSN], **asking)
    assert ran.status == 0, ran
    assert ran.widest <= 100
    for said in ("conflicting_duplicate", "reversal_mismatch", "412,750 VND"):
        assert said in ran.out
    assert dsn not in ran.out
    ran = await run_uptake(stack, *words, without=[DSN])
    assert (ran.status, "UPTAKE_KEY" in ran.errors) == (1, True)
    ran = await run_uptake(stack, *words, without=[DSN], UPTAKE_KEY="wrong")
    assert (ran.status, "401" in ran.errors) == (1, True)
    asking["UPTAKE_BOARD_URL"] = "http://127.0.0.1:9"
    ran = await run_uptake(stack, *words, without=[DSN], **asking)
    assert (ran.status, "does not answer" in ran.errors) == (1, True)
    assert len(ran.errors.splitlines()) == 1
