"""What `uptake send` says in the end: what was counted, as the board tells."""

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest

from services.cli.embedded.ports import free_port
from services.cli.send_asking import CLOCKS_APART_MAX
from tests.integration.test_cli_send import DAY, write_csv
from tests.support.board import Board
from tests.support.catalogues import KEYS
from tests.support.events import HOANG_LOC, now, opened, reversal
from tests.support.stack import Stack, eventually
from tests.support.uptake_command import Ran, run_uptake

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]

WORDS = ("--as", "/test/bank", "--indicator", "cashless_accounts")
HEADER = ("id", "locality", "time", "count")


async def send(stack: Stack, *words: str | Path, board: str | None = None) -> Ran:
    """Run `uptake send` with a board's address; by default the stack's own."""
    ran = await run_uptake(
        stack,
        "send",
        *words,
        UPTAKE_KEY=KEYS["bank"],
        UPTAKE_URL=f"http://127.0.0.1:{stack.ports['ingest']}",
        UPTAKE_BOARD_URL=Board(stack).url if board is None else board,
    )
    assert "--json" in words or ran.widest <= 80, ran
    return ran


def told_lines(ran: Ran) -> list[str]:
    """Return what was said once the board was asked."""
    lines = ran.out.splitlines()
    (begin,) = [at for at, line in enumerate(lines) if line.endswith("by the board:")]
    return lines[begin:]


async def test_summary_says_what_became_of_every_row(
    stack: Stack, tmp_path: Path
) -> None:
    """Counted, counted before, repeated, rejected by row, reversed, on the way."""
    await stack.start("ingest", "aggregation", "board")
    await check_counted_and_counted_before(stack, tmp_path)
    await check_conflicts_are_indexed(stack, tmp_path)
    await check_reversals(stack, tmp_path)
    await check_nobody_tells(stack)
    await check_on_the_way(stack, tmp_path)


async def pass_seconds() -> None:
    """Wait until what was sent is surely older than what is sent next."""
    until = now() + CLOCKS_APART_MAX + timedelta(seconds=1)

    async def is_later() -> bool:
        return now() > until

    await eventually(is_later, what="the clock goes on")


async def check_counted_and_counted_before(stack: Stack, folder: Path) -> None:
    """Three pages of equal rows; sent again, nothing changes, and that is said."""
    rows = [(HOANG_LOC, DAY, 1) for _ in range(2_500)]
    path = write_csv(
        folder / "equal.csv",
        [("locality", "time", "count"), *rows, ("99999", DAY, 1)],
    )
    ran = await send(stack, path, *WORDS)
    assert ran.status == 1, ran
    assert told_lines(ran) == [
        "equal.csv: of 2,500 accepted rows, by the board:",
        "  2,500 counted",
    ]
    await pass_seconds()
    ran = await send(stack, path, *WORDS)
    assert told_lines(ran) == [
        "equal.csv: of 2,500 accepted rows, by the board:",
        "  2,500 counted before, all of them: this sending changed nothing",
    ]


async def check_conflicts_are_indexed(stack: Stack, folder: Path) -> None:
    """A row whose id has counted with other content is named by its number."""
    rows = [("A", HOANG_LOC, DAY, 1), ("B", HOANG_LOC, DAY, 2)]
    path = write_csv(folder / "own.csv", [HEADER, *rows, rows[0]])
    ran = await send(stack, path, *WORDS)
    assert ran.status == 0, ran
    assert told_lines(ran)[1:] == [
        "  2 counted",
        "  1 with the id of another row: counted once with it",
    ]
    await pass_seconds()
    changed = ("B", HOANG_LOC, DAY, 5)
    write_csv(folder / "own.csv", [HEADER, rows[0], changed, ("C", HOANG_LOC, DAY, 1)])
    ran = await send(stack, path, *WORDS)
    assert ran.status == 1, ran
    counted, before, rejected, row, detail = told_lines(ran)[1:]
    assert counted == "  1 counted"
    assert before == "  1 counted before: sent again, which changed nothing"
    assert rejected == "  1 rejected: in no total -> own.rejected.csv"
    assert row.split() == ["row", "3", "conflicting_duplicate"]
    with (folder / "own.rejected.csv").open(encoding="utf-8-sig") as stream:
        header, listed = csv.reader(stream)
    assert header[:3] == ["refused_row", "refused_code", "refused_detail"]
    assert listed[:2] == ["3", "conflicting_duplicate"]
    assert listed[3:] == ["B", HOANG_LOC, DAY, "5"]
    assert detail.strip()[:20] in listed[2]
    await pass_seconds()
    ran = await send(stack, path, *WORDS, "--json")
    summary, row_told, told = (json.loads(line) for line in ran.out.splitlines())
    assert (summary["accepted"], summary["refused"]) == (3, 0)
    assert (row_told["row"], row_told["state"]) == (3, "rejected")
    assert told["states"]["counted_before"] == 2
    assert (told["asked"], told["not_asked"]) == (3, 0)
    assert told["rejected_files"] == ["own.rejected.csv"]


async def check_reversals(stack: Stack, folder: Path) -> None:
    """An event, its reversal; and the event again, which counts no more."""
    first = opened(7)
    path = folder / "events.ndjson"
    path.write_text("\n".join(map(json.dumps, (first, reversal(first)))))
    ran = await send(stack, path.name)
    assert told_lines(ran)[1:] == [
        "  1 taken as a reversal",
        "  1 reversed: no longer counted",
    ]


async def check_nobody_tells(stack: Stack) -> None:
    """It was sent all the same: status 0, and one line that says why."""
    ran = await send(
        stack, "own.csv", *WORDS, "--wait", "0", board=f"http://127.0.0.1:{free_port()}"
    )
    assert ran.status == 0, ran
    assert "3 accepted, 0 refused" in ran.out
    assert ran.errors.startswith("sent, but what was counted is not known: the board")
    assert len(ran.errors.splitlines()) == 1


async def check_on_the_way(stack: Stack, folder: Path) -> None:
    """While nothing is counted it waits as long as was said, and then says so."""
    await stack.children["aggregation"].kill()
    path = write_csv(folder / "late.csv", [HEADER, ("L", HOANG_LOC, DAY, 1)])
    ran = await send(stack, path, *WORDS, "--wait", "0.2")
    assert ran.status == 0, ran
    told = told_lines(ran)
    assert told[1] == "  1 on the way: safe in the log, not counted yet"
    assert told[2].endswith("; --wait SECONDS waits longer")
