"""What the board tells of totals, series, targets and alerts, and to whom."""

import json
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import yaml

from shared.readers import load_readers
from tests.contract.test_board_documents import check, named_schema
from tests.support.board import Board
from tests.support.catalogues import KEYS
from tests.support.events import CAO_BANG, HOANG_LOC, THANH_HOA, event, now, opened
from tests.support.stack import Stack, eventually
from tests.support.uptake_command import run_uptake

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]


async def test_reads_are_exact_paged_and_the_command_s(stack: Stack) -> None:
    """Totals, series, targets and alerts: the same figures as `uptake` shows."""
    stack.overrides["UPTAKE_AGENCIES_POLL_SECONDS"] = "0.1"
    await stack.start("ingest", "aggregation", "alerting", "board")
    board, tera = Board(stack), 10**9
    today, before = now(), now() - timedelta(days=3)
    for agency, batch in (
        (
            "bank",
            [
                opened(tera),
                opened(7, locality=THANH_HOA),
                opened(11, at=before),
                event("uptake.ecommerce.completed", locality=HOANG_LOC, amount=10**15),
            ],
        ),
        (
            "census",
            [
                event(
                    "uptake.indicator.counted",
                    source="/test/census",
                    indicator="cashless_accounts",
                    locality=place,
                    count=count,
                )
                for place, count in ((CAO_BANG, 11), ("VN", 13))
            ],
        ),
    ):
        assert (await stack.post(batch, agency=agency)).body["refused"] == []
    await stack.wait_applied(6)
    await check_totals(stack, board, tera)
    await check_known_at(board, today)
    await check_series(board, tera, before)
    await check_refusals(board)
    for name, wanted in (("targets", "TargetsV1"), ("alerts", "AlertsV1")):
        status, body = await board.get(f"/v1/{name}")
        assert status == 200, body
        check(named_schema(wanted), body)
    await check_reach(stack, board, tera)
    await check_readers(stack, board)


async def check_reach(stack: Stack, board: Board, tera: int) -> None:
    """Agencies are told of what they may send, and a revoked key of nothing."""
    bank, shop = KEYS["bank"], KEYS["shop"]
    status, body = await board.get("/v1/totals?children=true", key=bank)
    assert status == 200, body
    assert body["unit"]["code"] == THANH_HOA
    counts = {
        (row["indicator"], row["locality"]): row["count"] for row in body["totals"]
    }
    assert counts["cashless_accounts", THANH_HOA] == tera + 18
    assert CAO_BANG not in {row["locality"] for row in body["totals"]}
    status, body = await board.get("/v1/totals", key=shop)
    assert {row["indicator"] for row in body["totals"]} == {"ecommerce_transactions"}
    for path, slug in (
        ("/v1/totals?locality=VN", "locality-not-yours"),
        (f"/v1/series?indicator=ecommerce_sellers&locality={CAO_BANG}", "locality"),
        ("/v1/series?indicator=cashless_accounts", "indicator-not-yours"),
        ("/v1/targets?indicator=cashless_accounts", "indicator-not-yours"),
        (f"/v1/alerts?locality={CAO_BANG}", "locality-not-yours"),
    ):
        status, body = await board.get(path, key=shop)
        assert (status, slug in body["type"]) == (403, True), (path, body)
    log = (stack.folder / "board" / "log").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    refused = [line for line in lines if line["event"] == "attempt_refused"]
    assert {(line["agency"], line["key"]) for line in refused} == {("shop", "shop-1")}
    assert len(refused) == 5
    # Its only key is taken away, and nothing is restarted.
    file = stack.catalogue / "agencies" / "shop.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.write_text(yaml.safe_dump({**document, "keys": []}), encoding="utf-8")

    async def is_refused() -> bool:
        return (await board.get("/v1/totals", key=shop))[0] == 401

    await eventually(is_refused, what="the revoked key reads nothing")
    assert (await board.get("/v1/totals", key=bank))[0] == 200
    assert KEYS["shop"] not in (stack.folder / "board" / "log").read_text("utf-8")


async def check_totals(stack: Stack, board: Board, tera: int) -> None:
    """A unit and its children, in pages of any size."""
    query = "/v1/totals?children=true&indicator=cashless_accounts"
    status, body = await board.get(query)
    assert status == 200, body
    check(named_schema("TotalsV1"), body)
    ran = await run_uptake(
        stack, "totals", "--children", "--indicator", "cashless_accounts", "--json"
    )
    shown = json.loads(ran.out)
    assert body["totals"] == shown["totals"]
    assert body["newest_record_at"] == shown["newest_record_at"]
    assert {row["locality"]: row["count"] for row in body["totals"]} == {
        "VN": tera + 42,
        "VN-unallocated": 13,
        CAO_BANG: 11,
        THANH_HOA: tera + 18,
    }
    rows, cursor = [], ""
    while True:
        status, page = await board.get(f"{query}&limit=1{cursor}")
        assert (status, len(page["totals"])) == (200, 1)
        rows += page["totals"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert rows == body["totals"]
    status, body = await board.get(f"/v1/totals?locality={HOANG_LOC}")
    assert {row["indicator"]: row["amount"] for row in body["totals"]} == {
        "cashless_accounts": 0,
        "ecommerce_transactions": 10**15,
    }


async def check_known_at(board: Board, before: datetime) -> None:
    """The figures of an instant, and refusal of one that cannot be known."""
    text = before.isoformat().replace("+", "%2B")
    status, body = await board.get(f"/v1/totals?known_at={text}")
    assert (status, body["totals"]) == (200, [])
    check(named_schema("TotalsV1"), body)
    status, body = await board.get("/v1/totals?known_at=2126-01-01T00:00:00Z")
    assert (status, body["title"]) == (422, "Nobody can know the figures")


async def check_series(board: Board, tera: int, before: datetime) -> None:
    """Levels at the end of each day, and what each day did, also page by page."""
    query = f"/v1/series?indicator=cashless_accounts&locality={THANH_HOA}"
    status, body = await board.get(query)
    assert status == 200, body
    check(named_schema("SeriesV1"), body)
    days = body["series"]
    assert len(days) == 31
    assert days[0] == {
        "day": days[0]["day"],
        **dict.fromkeys(("count", "amount", "day_count", "day_amount"), 0),
    }
    assert days[-1]["count"] == tera + 18
    assert sum(day["day_count"] for day in days) == tera + 18
    for earlier, later in pairwise(days):
        assert later["count"] == earlier["count"] + later["day_count"]
    rows, cursor = [], ""
    while True:
        status, page = await board.get(f"{query}&limit=7{cursor}")
        assert status == 200, page
        rows += page["series"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    # The first page of a question without days decides which days are meant.
    assert rows == days
    until = (before - timedelta(days=1)).date()
    status, body = await board.get(f"{query}&to={until}&from={until}")
    assert [day["count"] for day in body["series"]] == [0]
    status, body = await board.get("/v1/series?indicator=eid_accounts")
    assert {day["count"] for day in body["series"]} == {0}


async def check_refusals(board: Board) -> None:
    """In words, under the right status."""
    for path, status, slug in (
        ("/v1/totals?locality=99", 404, "no-such-locality"),
        ("/v1/totals?localty=38", 400, "bad-parameter"),
        ("/v1/series", 400, "bad-parameter"),
        ("/v1/alerts?state=on", 400, "bad-parameter"),
        ("/v1", 404, "no-such-address"),
        ("/v1/receipts", 405, "method-not-allowed"),
    ):
        found, body = await board.get(path)
        assert (found, body["type"].rpartition("/")[2]) == (status, slug), path


async def check_readers(stack: Stack, board: Board) -> None:
    """A reader is added, rotates and goes while the board runs."""
    path = stack.folder / "readers.yaml"
    words = ("reader", "add", "dashboard", "--name", "Bảng điều khiển")
    ran = await run_uptake(stack, *words, "--readers", path)
    assert ran.status == 0, ran
    key = ran.out.strip()
    assert key not in path.read_text(encoding="utf-8")
    ran = await run_uptake(stack, *words, "--readers", path)
    assert (ran.status, "there is a reader" in ran.errors) == (1, True)
    stack.spawn("board-2", UPTAKE_READERS=str(path))
    await stack.wait_ready("board-2")
    second = Board(stack, "board-2")
    assert (await second.get("/v1/totals", key=key))[0] == 200
    assert (await board.get("/v1/totals", key=key))[0] == 401
    asked = [{"source": "/test/bank", "id": "x"}]
    assert (await second.post(asked, key=key))[0] == 403
    ran = await run_uptake(stack, "reader", "rotate", "dashboard", "--readers", path)
    assert ran.status == 0, ran
    new = ran.out.strip()

    async def is_valid(key: str) -> bool:
        return (await second.get("/v1/totals", key=key))[0] == 200

    async def is_invalid(key: str) -> bool:
        return (await second.get("/v1/totals", key=key))[0] == 401

    await eventually(lambda: is_valid(new), what="the new key is valid")
    assert await is_valid(key)
    finish = ("reader", "rotate", "dashboard", "--finish", "--readers", path)
    assert (await run_uptake(stack, *finish)).status == 0
    await eventually(lambda: is_invalid(key), what="the old key is not")
    assert await is_valid(new)
    listed = await run_uptake(stack, "reader", "list", "--readers", path, "--json")
    assert json.loads(listed.out)["readers"][0]["keys"] == ["key-2"]
    gone = ("reader", "remove", "dashboard", "--readers", path)
    assert (await run_uptake(stack, *gone)).status == 0
    await eventually(lambda: is_invalid(new), what="the reader is gone")
    assert load_readers(path) == ()
