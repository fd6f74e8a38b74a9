"""The page for senders: its examples run, and its tables leave nothing out.

Strict both ways: a block of code that no test runs fails, as does a test that expects
what is not on the page.
"""

import asyncio
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from openpyxl import Workbook
from typer.core import TyperGroup
from typer.main import get_command

from services.cli.__main__ import command_line
from shared.errors import RefusalCode
from tests.support.catalogues import KEYS
from tests.support.events import THANH_HOA, now
from tests.support.stack import Stack
from tests.support.uptake_command import Ran

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "senders.md").read_text(encoding="utf-8")
CHECKED = ("--check", "--at", "2026-11-21T12:00:00+07:00")
DAY = (now() - timedelta(days=2)).date().isoformat()


def find_blocks(page: str) -> dict[str, str]:
    """Return the code of a page, by language and place among those of it, from 1."""
    fences = re.findall(r"^```(.*?)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(fences) * 2 == len(re.findall(r"^\s*(?:```|~~~)", page, re.MULTILINE))
    found: dict[str, str] = {}
    for language, text in fences:
        place = 1 + sum(name.rpartition(" ")[0] == language for name in found)
        found[f"{language} {place}"] = text
    return found


BLOCKS = find_blocks(PAGE)
# Which test runs which block; held to the page and to what the tests take.
RUN_IN: Mapping[str, tuple[str, ...]] = {
    "test_examples_of_python_and_of_the_spreadsheet_count": (
        "python 1",
        "csv 1",
        "console 1",
        "console 2",
        "text 1",
    ),
    "test_examples_of_curl_and_javascript_count": (
        " 1",
        "bash 1",
        "json 1",
        "javascript 1",
    ),
    "test_example_of_a_check_needs_no_server": ("csv 1", "console 3"),
    "test_example_of_a_mapping_file_is_read": ("yaml 1",),
}


class Examples:
    """The blocks of the page that one test runs."""

    def __init__(self, test: str) -> None:
        self._declared = RUN_IN[test]
        self.left = set(self._declared)

    def take(self, name: str) -> str:
        """Return a block as it stands on the page."""
        assert name in self._declared
        self.left.discard(name)
        return BLOCKS[name]


@pytest.fixture
def examples(request: pytest.FixtureRequest) -> Iterator[Examples]:
    """Give a test its blocks, and see to it that it takes all of them."""
    taken = Examples(request.node.originalname)
    yield taken
    assert not taken.left, "declared as run, and not taken"


def swap(text: str, old: str, new: str) -> str:
    """Replace what must stand in a block."""
    assert old in text, f"{old!r} does not stand in the block any more"
    return text.replace(old, new)


def inline(code: str) -> list[str]:
    """Return the words of what must stand on the page as code within a sentence."""
    assert f"`{code}`" in PAGE, f"`{code}` does not stand on the page any more"
    return shlex.split(code)


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
    await stack.start("ingest", "aggregation", "board")
    return {
        "UPTAKE_URL": f"http://127.0.0.1:{stack.ports['ingest']}",
        "UPTAKE_KEY": KEYS["bank"],
    }


def save_table(folder: Path, table: str) -> None:
    """Save the page's spreadsheet, of a day that is open, as CSV and as XLSX."""
    table = swap(table, "2026-11-03", DAY)
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
    stack: Stack, tmp_path: Path, examples: Examples
) -> None:
    """Two orders, two rows; the second run and the XLSX of the same change nothing."""
    environment = await start(stack)
    program = swap(examples.take("python 1"), "2026-11-21", DAY)
    for _ in range(2):
        ran = await run(
            tmp_path, sys.executable, "-c", program, environment=environment
        )
        assert (ran.status, ran.out) == (0, "2 accepted\n"), ran
    save_table(tmp_path, examples.take("csv 1"))
    dry, sent = examples.take("console 1").splitlines()
    board = f"http://127.0.0.1:{stack.ports['board']}"
    (told,) = examples.take("console 2").splitlines()
    told = swap(told, "http://127.0.0.1:8083", board)

    async def type_line(words: list[str]) -> Ran:
        assert words[0] == "uptake"
        words = ["-m", "services.cli", *words[1:]]
        ran = await run(tmp_path, sys.executable, *words, environment=environment)
        assert ran.status == 0, ran
        assert ran.widest <= 80
        return ran

    first = await type_line(shlex.split(told))
    assert first.out.endswith(examples.take("text 1"))
    for line in (dry, sent, swap(sent, "sales.csv", "sales.xlsx")):
        ran = await type_line(shlex.split(line))
        assert "accepted, 0 " in ran.out
    await stack.wait_applied(2 + 2 + 2 + 2 + 2)
    assert (await stack.classes())["duplicates"] == 2 + 2 + 2
    orders = (2, 98_000 + 250_000)
    expected = (orders[0] + 12 + 3, orders[1] + 4_953_000 + 1_238_250)
    assert await stack.total("ecommerce_transactions", THANH_HOA) == expected
    await type_line(inline("uptake send sales.csv --undo"))
    await stack.wait_applied(2 + 2 + 2 + 2 + 2 + 2)
    assert await stack.total("ecommerce_transactions", THANH_HOA) == orders


@pytest.mark.node
async def test_examples_of_curl_and_javascript_count(
    stack: Stack, tmp_path: Path, examples: Examples
) -> None:
    """As they stand on the page."""
    environment = await start(stack)
    setting = swap(
        examples.take(" 1"), "http://127.0.0.1:8080", environment["UPTAKE_URL"]
    )
    setting = swap(setting, "UPTAKE_KEY=...", f"UPTAKE_KEY={environment['UPTAKE_KEY']}")
    command = setting + examples.take("bash 1")
    ran = await run(tmp_path, "bash", "-c", command)
    assert ran.status == 0, ran
    assert json.loads(ran.out) == json.loads(examples.take("json 1"))
    (tmp_path / "send.mjs").write_text(examples.take("javascript 1"), encoding="utf-8")
    ran = await run(tmp_path, "node", "send.mjs", environment=environment)
    assert (ran.status, ran.out) == (0, "1 accepted\n"), ran
    await stack.wait_applied(2)
    assert await stack.total("ecommerce_transactions", THANH_HOA) == (2, 562_750)


@pytest.mark.embedded
async def test_example_of_a_check_needs_no_server(
    tmp_path: Path, examples: Examples
) -> None:
    """Nor a key; its output is for programs."""
    table = examples.take("csv 1")
    (tmp_path / "sales.csv").write_text(table, encoding="utf-8")
    words = ["-m", "services.cli", *shlex.split(examples.take("console 3"))[1:]]
    ran = await run(tmp_path, sys.executable, *words)
    assert ran.status == 0, ran
    (summary,) = [json.loads(line) for line in ran.out.splitlines()]
    assert (summary["accepted"], summary["refused"]) == (2, 0)
    (tmp_path / "sales.csv").write_text(swap(table, "15961", "x"), encoding="utf-8")
    ran = await run(tmp_path, sys.executable, *words)
    assert ran.status == 1, ran
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert [(one["row"], one["code"]) for one in told[:-1]] == [
        (2, "unknown_locality"),
        (3, "unknown_locality"),
    ]
    assert names_in(tmp_path) == ["sales.csv"]


@pytest.mark.embedded
async def test_example_of_a_mapping_file_is_read(
    tmp_path: Path, examples: Examples
) -> None:
    """With the columns that it names."""
    mapping = examples.take("yaml 1")
    (tmp_path / "daily.yaml").write_text(mapping, encoding="utf-8")
    (tmp_path / "daily.csv").write_text(
        "Số HĐ;Nơi bán;Ngày bán;Thành tiền\nA1;15961;03/11/2026;412.750\n",
        encoding="utf-8",
    )
    words = ["send", "daily.csv", *inline("--mapping daily.yaml"), *CHECKED]
    ran = await run(tmp_path, sys.executable, "-m", "services.cli", *words)
    assert ran.status == 0, ran
    assert "1 would be accepted" in ran.out


@pytest.mark.embedded
async def test_options_of_the_table_read_such_a_workbook(tmp_path: Path) -> None:
    """All of them at once, as they stand on the page."""
    workbook = Workbook()
    for name in ("Tháng 10", "Tháng 11"):
        sheet = workbook.create_sheet(name)
        sheet.append(["Báo cáo"])
        sheet.append([])
        sheet.append(["Nơi bán", "Ngày", "Tiền"])
        sheet.append(["15961", "03/11/2026", "412.750"])
    workbook.remove(workbook.worksheets[0])
    workbook.save(tmp_path / "sales.xlsx")
    words = [
        *inline("--dates dmy"),
        *inline("--thousands ."),
        *inline('--map "Nơi bán=locality"'),
        *inline("--header 3"),
        *inline('--sheet "Tháng 11"'),
        *("--as", "/vn/38/voso", "--type", "uptake.ecommerce.completed"),
    ]
    ran = await run(
        tmp_path,
        *(sys.executable, "-m", "services.cli", "send", "sales.xlsx"),
        *words,
        *CHECKED,
    )
    assert ran.status == 0, ran
    assert "sales.xlsx: 1 sheet, 1 row" in ran.out
    assert "1 would be accepted" in ran.out


@pytest.mark.embedded
def test_every_block_of_the_page_runs() -> None:
    """A block that is added fails this until a test takes it; so does one that goes."""
    assert {name for names in RUN_IN.values() for name in names} == set(BLOCKS)
    tests = {name for name in globals() if name.startswith("test_example")}
    assert tests == set(RUN_IN)


@pytest.mark.embedded
def test_every_option_and_command_in_a_sentence_exists() -> None:
    """Nobody is told to type what the command does not know."""
    commands = get_command(command_line())
    assert isinstance(commands, TyperGroup)
    sent = {
        option
        for parameter in commands.commands["send"].params
        for option in parameter.opts
    }
    text = re.sub(r"^```.*?^```$", "", PAGE, flags=re.DOTALL | re.MULTILINE)
    code = re.findall("`([^`]+)`", text)
    options = {word for each in code for word in re.findall(r"--[a-z-]+", each)}
    assert {"--undo", "--check", "--id"} <= options <= sent
    verbs = {each.split()[1] for each in code if each.startswith("uptake ")}
    assert {"send", "agency"} <= verbs <= set(commands.commands)


@pytest.mark.embedded
def test_every_code_of_refusal_is_explained() -> None:
    """A new code fails this test until the page says what to do about it."""
    assert set(RefusalCode) == codes_of(1, "When an event is refused")


@pytest.mark.embedded
def test_every_problem_of_the_door_is_explained() -> None:
    """All that the OpenAPI document shows for events, but the code of a lone event."""
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    told = json.dumps(document["paths"]["/v1/events"])
    types = set(re.findall(r"uptake\.invalid/problems/([a-z-]+)", told))
    lone = {code.replace("_", "-") for code in RefusalCode}
    assert types != set()
    explained = codes_of(2, "When a request is refused")
    # `not-json` is also what a lone event may be refused as.
    assert types - lone <= explained <= types
