"""The page for senders: its examples run, and its tables leave nothing out."""

import asyncio
import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from openpyxl import Workbook

from shared.errors import RefusalCode
from tests.support.catalogues import KEYS
from tests.support.events import THANH_HOA, now
from tests.support.stack import Stack
from tests.support.uptake_command import Ran

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "senders.md").read_text(encoding="utf-8")
DAY = (now() - timedelta(days=2)).date().isoformat()


def blocks(language: str) -> list[str]:
    """Return the page's code of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def codes_of(column: int, heading: str) -> set[str]:
    """Return what stands in code in a column of the table under a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    cells = [row.split("|")[column] for row in rows]
    return {code for cell in cells for code in re.findall("`([^`]+)`", cell)}


def names_in(folder: Path) -> list[str]:
    """List a folder."""
    return sorted(path.name for path in folder.iterdir())


async def run(
    folder: Path, *words: str, environment: Mapping[str, str] | None = None
) -> Ran:
    """Run a program as a sender would."""
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            **(environment or {}),
        },
        cwd=folder,
    )
    out, errors = await process.communicate()
    return Ran(process.returncode or 0, out.decode(), errors.decode())


async def start(stack: Stack) -> dict[str, str]:
    """Run ingest for an agency that has the page's source; return where and the key."""
    path = stack.catalogue / "agencies" / "tha-voso.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    bank = stack.catalogue / "agencies" / "bank.yaml"
    keys = yaml.safe_load(bank.read_text(encoding="utf-8"))["keys"]
    bank.unlink()
    path.write_text(yaml.safe_dump({**document, "keys": keys}), encoding="utf-8")
    await stack.start("ingest", "aggregation")
    return {
        "UPTAKE_URL": f"http://127.0.0.1:{stack.ports['ingest']}",
        "UPTAKE_KEY": KEYS["bank"],
    }


def save_table(folder: Path) -> None:
    """Save the page's spreadsheet, of a day that is open, as CSV and as XLSX."""
    (table,) = blocks("csv")
    table = table.replace("2026-11-03", DAY)
    (folder / "sales.csv").write_text(table, encoding="utf-8")
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for line in table.splitlines():
        cells = line.split(",")
        sheet.append([int(cell) if cell.isdecimal() else cell for cell in cells])
    workbook.save(folder / "sales.xlsx")


@pytest.mark.embedded
async def test_examples_of_python_and_of_the_spreadsheet_count(
    stack: Stack, tmp_path: Path
) -> None:
    """Two orders, two rows; the second run and the XLSX of the same change nothing."""
    environment = await start(stack)
    (program,) = blocks("python")
    program = program.replace("2026-11-21", DAY)
    for _ in range(2):
        ran = await run(
            tmp_path, sys.executable, "-c", program, environment=environment
        )
        assert (ran.status, ran.out) == (0, "2 accepted\n"), ran
    save_table(tmp_path)
    dry, sent = blocks("console")[0].splitlines()
    again = sent.replace("sales.csv", "sales.xlsx")
    for line in (dry, sent, again):
        words = ["-m", "services.cli", *shlex.split(line)[1:]]
        ran = await run(tmp_path, sys.executable, *words, environment=environment)
        assert ran.status == 0, ran
        assert "accepted, 0 " in ran.out
        assert ran.widest <= 80
    await stack.wait_applied(2 + 2 + 2 + 2)
    assert (await stack.classes())["duplicates"] == 2 + 2
    expected = (2 + 12 + 3, 98_000 + 250_000 + 4_953_000 + 1_238_250)
    assert await stack.total("ecommerce_transactions", THANH_HOA) == expected


@pytest.mark.node
async def test_examples_of_curl_and_javascript_count(
    stack: Stack, tmp_path: Path
) -> None:
    """As they stand on the page."""
    environment = await start(stack)
    (command,), (program,) = blocks("bash"), blocks("javascript")
    ran = await run(tmp_path, "bash", "-c", command, environment=environment)
    assert ran.status == 0, ran
    assert json.loads(ran.out) == json.loads(blocks("json")[0])
    (tmp_path / "send.mjs").write_text(program, encoding="utf-8")
    ran = await run(tmp_path, "node", "send.mjs", environment=environment)
    assert (ran.status, ran.out) == (0, "1 accepted\n"), ran
    await stack.wait_applied(2)
    assert await stack.total("ecommerce_transactions", THANH_HOA) == (2, 562_750)


@pytest.mark.embedded
async def test_example_of_a_check_needs_no_server(tmp_path: Path) -> None:
    """Nor a key; its output is for programs."""
    (table,) = blocks("csv")
    (tmp_path / "sales.csv").write_text(table, encoding="utf-8")
    words = ["-m", "services.cli", *shlex.split(blocks("console")[1])[1:]]
    ran = await run(tmp_path, sys.executable, *words)
    assert ran.status == 0, ran
    (summary,) = [json.loads(line) for line in ran.out.splitlines()]
    assert (summary["accepted"], summary["refused"]) == (2, 0)
    (tmp_path / "sales.csv").write_text(table.replace("15961", "x"), encoding="utf-8")
    ran = await run(tmp_path, sys.executable, *words)
    assert ran.status == 1, ran
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert [(one["row"], one["code"]) for one in told[:-1]] == [
        (2, "unknown_locality"),
        (3, "unknown_locality"),
    ]
    assert names_in(tmp_path) == ["sales.csv"]


@pytest.mark.embedded
async def test_example_of_a_mapping_file_is_read(tmp_path: Path) -> None:
    """With the columns that it names."""
    (mapping,) = blocks("yaml")
    (tmp_path / "daily.yaml").write_text(mapping, encoding="utf-8")
    (tmp_path / "daily.csv").write_text(
        "Số HĐ;Nơi bán;Ngày bán;Thành tiền\nA1;15961;03/11/2026;412.750\n",
        encoding="utf-8",
    )
    words = "send daily.csv --mapping daily.yaml --check --at 2026-11-21T12:00:00+07:00"
    ran = await run(tmp_path, sys.executable, "-m", "services.cli", *words.split())
    assert ran.status == 0, ran
    assert "1 would be accepted" in ran.out


@pytest.mark.embedded
def test_every_code_of_refusal_is_explained() -> None:
    """A new code fails this test until the page says what to do about it."""
    assert set(RefusalCode) <= codes_of(1, "When an event is refused")


@pytest.mark.embedded
def test_every_problem_of_the_door_is_explained() -> None:
    """All that the OpenAPI document shows for events, but the code of a lone event."""
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    told = json.dumps(document["paths"]["/v1/events"])
    types = set(re.findall(r"uptake\.invalid/problems/([a-z-]+)", told))
    lone = {code.replace("_", "-") for code in RefusalCode}
    assert types != set()
    assert types - lone <= codes_of(2, "When a request is refused")
