"""Both doors on servers of their own, asked by schemathesis what they promise."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.postgres import EmbeddedPostgres
from tests.fuzz.process import ROOT, Ended, run
from tests.fuzz.result import Result, say
from tests.support.catalogues import KEYS, SOURCES, copy_catalogue
from tests.support.events import opened
from tests.support.stack import Stack

DOCUMENT: Final = ROOT / "docs" / "openapi.json"
SETTINGS: Final = Path(__file__).parent / "schemathesis.toml"
EXAMPLES_SOURCE: Final = "/vn/38/bank"
_CASES: Final = re.compile(r"Test cases:\n +([\d,]+) generated")
_SUMMARY: Final = re.compile(r"^=+ (?:FAILURES|ERRORS) =+$.*", re.MULTILINE | re.DOTALL)
_SHOWN_CHARACTERS: Final = 6_000


@dataclass(frozen=True, slots=True)
class Asking:
    """One run of schemathesis.

    Attributes:
        service: Which one listens.
        tags: Of the document's operations.
        key: What is sent with each request; None for no key.
        share: Of the time for all.
    """

    service: str
    tags: tuple[str, ...]
    key: str | None
    share: float

    @property
    def name(self) -> str:
        """How it is called where results are shown."""
        key = "with a key" if self.key else "without a key"
        return f"{self.service}, {key}"


ASKINGS: Final = (
    Asking("ingest", ("events", "probes"), KEYS["bank"], 0.4),
    Asking("board", ("board", "probes"), KEYS["bank"], 0.4),
    Asking("ingest", ("events",), None, 0.1),
    Asking("board", ("board",), None, 0.1),
)


@dataclass(frozen=True, slots=True)
class Schemathesis:
    """How schemathesis is run.

    Attributes:
        python: Of its environment.
        out: Where its words are kept.
        seconds: For all runs together.
    """

    python: Path
    out: Path
    seconds: float
    seed: int

    def ask(self, asking: Asking, port: int) -> Result:
        """Run it once to its end."""
        limit = max(1, round(self.seconds * asking.share))
        command: list[str | Path] = [self.python.parent / "schemathesis"]
        command += ["--config-file", SETTINGS, "run", DOCUMENT]
        command += ["--url", f"http://127.0.0.1:{port}", "--max-time", str(limit)]
        command += ["--seed", str(self.seed), "--no-color", "--continue-on-failure"]
        for tag in asking.tags:
            command += ["--include-tag", tag]
        if asking.key is not None:
            command += ["--header", f"Authorization: Bearer {asking.key}"]
        name = asking.name.replace(", ", "_").replace(" ", "_")
        log = self.out / "log" / f"{name}.txt"
        return _result(asking, run(command, log, seconds=limit))


async def fuzz_doors(schemathesis: Schemathesis, folder: Path) -> list[Result]:
    """Start the services and ask them; each must still run in the end."""
    found = []
    async with running_doors(folder) as stack:
        say("ingest, aggregation and the board are ready")
        for asking in ASKINGS:
            port = stack.ports[asking.service]
            result = await asyncio.to_thread(schemathesis.ask, asking, port)
            say(str(result))
            found.append(result)
        for service, child in stack.children.items():
            assert child.is_running(), stack.log_tail(service)
    return found


@asynccontextmanager
async def running_doors(folder: Path) -> AsyncIterator[Stack]:
    """Run ingest, aggregation and the board on embedded servers, with some totals."""
    async with (
        EmbeddedPostgres(folder / "postgres", durable=False) as postgres,
        EmbeddedBroker(folder / "broker") as broker,
    ):
        stack = Stack(
            broker=broker,
            bootstrap_servers=broker.bootstrap_servers,
            dsn=postgres.dsn,
            catalogue=copy_catalogue(folder / "catalogue"),
            folder=folder,
            is_embedded=True,
        )
        _own_examples(stack.catalogue)
        await stack.migrate()
        try:
            await stack.start("ingest", "aggregation", "board")
            answer = await stack.post([opened(7), opened(11)])
            assert answer.status == 202, answer.body
            await stack.wait_applied(2)
            yield stack
        finally:
            await stack.stop()


def _own_examples(catalogue: Path) -> None:
    """Have the bank send what the document's examples show, so that it is admitted."""
    path = catalogue / "agencies" / "bank.yaml"
    text = path.read_text(encoding="utf-8")
    own = f"- {SOURCES['bank']}\n"
    assert own in text
    text = text.replace(own, f"{own}- {EXAMPLES_SOURCE}\n")
    path.write_text(text, encoding="utf-8")


def _result(asking: Asking, ended: Ended) -> Result:
    cases = _CASES.search(ended.said)
    findings: tuple[str, ...] = ()
    if ended.status != 0 or cases is None:
        told = _SUMMARY.search(ended.said)
        shown = (told[0] if told else ended.said[-_SHOWN_CHARACTERS:]).strip()
        findings = (f"{asking.name}:\n{shown[:_SHOWN_CHARACTERS]}",)
    return Result(
        name=asking.name,
        executions=int(cases[1].replace(",", "")) if cases else 0,
        coverage=0,
        findings=findings,
    )
