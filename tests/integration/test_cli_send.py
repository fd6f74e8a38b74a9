"""`uptake send` against the real ingest."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook

from services.cli.embedded.ports import free_port
from tests.support.catalogues import KEYS
from tests.support.events import HOANG_LOC, THANH_HOA, now, opened
from tests.support.stack import Stack, eventually
from tests.support.uptake_command import Ran, run_uptake

pytestmark = pytest.mark.timeout(120)

DAY = (now() - timedelta(days=2)).date().isoformat()


async def send(stack: Stack, *words: str | Path, agency: str = "bank") -> Ran:
    """Run `uptake send` with an agency's key and the address of the test's ingest."""
    return await run_uptake(
        stack,
        "send",
        *words,
        UPTAKE_KEY=KEYS[agency],
        UPTAKE_URL=f"http://127.0.0.1:{stack.ports['ingest']}",
    )


def write_csv(path: Path, rows: list[tuple[object, ...]], delimiter: str = ",") -> str:
    """Write a file as a spreadsheet would; return its name in the working folder."""
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)
    return path.name


async def test_file_sent_twice_counts_once_and_equal_rows_all_count(
    stack: Stack, tmp_path: Path
) -> None:
    """A Vietnamese spreadsheet with equal rows: the second sending changes nothing."""
    await stack.start("ingest", "aggregation")
    rows: list[tuple[object, ...]] = [("Mã xã", "Ngày", "Số lượng", "Ghi chú")]
    rows += [(HOANG_LOC, DAY, 1, f"note {number}") for number in range(2_500)]
    path = write_csv(tmp_path / "sales.csv", rows, ";")
    for _ in range(2):
        ran = await send(
            stack, path, "--as", "/test/bank", "--indicator", "cashless_accounts"
        )
        assert ran.status == 0, ran
        assert "2,500 accepted, 0 refused" in ran.out
        assert ran.widest <= 80
    await stack.wait_applied(5_000)
    assert await stack.total("cashless_accounts", THANH_HOA) == (2_500, 0)
    assert (await stack.classes())["duplicates"] == 2_500


async def test_refused_rows_are_listed_beside_the_file(
    stack: Stack, tmp_path: Path
) -> None:
    """Rows refused here and by ingest stand in one list, by row; the others count."""
    await stack.start("ingest", "aggregation")
    path = write_csv(
        tmp_path / "sales.csv",
        [
            ("locality", "time", "count", "amount"),
            (HOANG_LOC, DAY, 1, 412_750),
            ("99999", DAY, 1, 1),
            (HOANG_LOC, DAY, 1, "412.750,5"),
            (HOANG_LOC, "2020-01-01", 1, 5),
            (HOANG_LOC, DAY, 2, 50),
        ],
    )
    words = (path, "--as", "/test/shop", "--type", "uptake.ecommerce.completed")
    dry = await send(stack, *words, "--dry-run", agency="shop")
    assert dry.status == 1, dry
    assert "nothing was sent (dry run)" in dry.out
    ran = await send(stack, *words, agency="shop")
    assert ran.status == 1, ran
    assert "2 accepted, 3 refused" in ran.out
    assert ran.widest <= 80
    with (tmp_path / "sales.refused.csv").open(encoding="utf-8-sig") as stream:
        refused = list(csv.reader(stream))
    assert [row[:2] for row in refused] == [
        ["refused_row", "refused_code"],
        ["3", "unknown_locality"],
        ["4", "bad_amount"],
        ["5", "too_late"],
    ]
    assert refused[0][4:] == ["locality", "time", "count", "amount"]
    assert refused[2][4:] == [HOANG_LOC, DAY, "1", "412.750,5"]
    await stack.wait_applied(2)
    assert await stack.total("ecommerce_transactions", THANH_HOA) == (3, 412_800)


async def test_ndjson_holds_cloud_events_and_flat_objects(
    stack: Stack, tmp_path: Path
) -> None:
    """Both kinds of line count; a line that is no JSON is refused alone."""
    await stack.start("ingest", "aggregation")
    flat = {"locality": HOANG_LOC, "time": DAY, "count": 30}
    lines = [json.dumps(opened(4)), json.dumps(flat), "{no json", json.dumps(flat)]
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join(lines), encoding="utf-8")
    ran = await send(
        stack, path, "--as", "/test/bank", "--indicator", "cashless_accounts"
    )
    assert ran.status == 1, ran
    assert "3 accepted, 1 refused" in ran.out
    await stack.wait_applied(3)
    assert await stack.total("cashless_accounts", THANH_HOA) == (64, 0)


async def test_workbook_is_counted_undone_and_counted_again(
    stack: Stack, tmp_path: Path
) -> None:
    """Two sheets; undone to nothing, twice; sent again it counts, corrected or not."""
    await stack.start("ingest", "aggregation")
    workbook = Workbook()
    for name, count in (("Tháng 10", 30), ("Tháng 11", 12)):
        sheet = workbook.create_sheet(name)
        sheet.append(["Mã xã", "Ngày", "Số lượng"])
        for _ in range(2):
            sheet.append([int(HOANG_LOC), now().date() - timedelta(days=2), count])
    workbook.remove(workbook.worksheets[0])
    workbook.save(tmp_path / "year.xlsx")
    words = ("year.xlsx", "--as", "/test/bank", "--indicator", "cashless_accounts")

    async def is_total(count: int) -> None:
        async def holds() -> bool:
            return await stack.total("cashless_accounts", THANH_HOA) == (count, 0)

        await eventually(holds, what=f"{count} counted")

    for again in range(2):
        ran = await send(stack, *words)
        assert ran.status == 0, ran
        assert "year.xlsx: 2 sheets, 4 rows" in ran.out
        await is_total(84)
        for told in ("4 events undone", "undone already"):
            ran = await send(stack, "year.xlsx", "--undo")
            assert ran.status == 0, ran
            assert told in ran.out
        await is_total(0)
        classes = await stack.classes()
        assert classes["reversed"] == 4 * (again + 1)
        assert classes["rejected"] == 0


async def test_wrong_key_and_foreign_source_say_what_to_do(
    stack: Stack, tmp_path: Path
) -> None:
    """Without a valid key nothing can be sent; a foreign source refuses every row."""
    await stack.start("ingest")
    rows: list[tuple[object, ...]] = [("locality", "time"), (HOANG_LOC, DAY)]
    path = write_csv(tmp_path / "one.csv", rows)
    words = ("send", path, "--as", "/test/shop", "--indicator", "cashless_accounts")
    url = f"http://127.0.0.1:{stack.ports['ingest']}"
    ran = await run_uptake(stack, *words, UPTAKE_URL=url, UPTAKE_KEY="wrong")
    assert ran.status == 2, ran
    assert "401" in ran.errors
    assert "UPTAKE_KEY" in ran.errors
    ran = await run_uptake(stack, *words, UPTAKE_URL=url, UPTAKE_KEY=KEYS["bank"])
    assert ran.status == 1, ran
    assert "source_not_yours" in ran.out


async def test_sending_outlasts_an_ingest_that_is_away(
    stack: Stack, tmp_path: Path
) -> None:
    """Sending waits visibly until ingest comes, then everything counts once."""
    stack.ports["ingest"] = free_port()
    path = write_csv(
        tmp_path / "wait.csv",
        [("locality", "time", "count"), *((HOANG_LOC, DAY, 1) for _ in range(1_500))],
    )
    words = (path, "--as", "/test/bank", "--indicator", "cashless_accounts")
    gone = await send(stack, *words, "--give-up-after", "0.3")
    assert gone.status == 2, gone
    assert "gave up after 0.3 s" in gone.errors
    assert "connection refused" in gone.errors or "connect call" in gone.errors
    await stack.start("ingest", "aggregation")
    killed = stack.children["ingest"]
    await killed.kill()
    stack.spawn("ingest")
    ran = await send(stack, *words)
    assert ran.status == 0, ran
    await stack.wait_applied(1_500)

    async def is_counted() -> bool:
        return await stack.total("cashless_accounts", THANH_HOA) == (1_500, 0)

    await eventually(is_counted, what="1,500 counted")
