"""Tests of the tests: with a guarantee taken out of the code, tests must fail.

Each mutation is made in a copy of the tree, and tests run there in a process of their
own. A fragment that is no longer found fails too: mutations follow the code.

A partition moves away from a process that sleeps on Apache Kafka only, so what needs
that runs there, and the rest on the embedded broker.
"""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

import pytest

SECONDS_MAX = 300
pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS_MAX + 60)]
embedded = pytest.mark.embedded

ROOT = Path(__file__).parents[2]
COPIED = ("services", "shared", "tests", "deploy", "pyproject.toml")
SOME_FAILED = 1
"""Exit status of pytest; others say that no test could run."""

JUDGING = ("tests/unit/aggregation", "tests/property/test_counting_laws.py")
WHOLE = ("tests/integration/test_whole_batches.py",)
STALE = ("tests/faults/test_stale_owner.py",)
MODEL = ("tests/integration/test_retention.py", "-k", "model")
FORGETTING = ("tests/integration/test_retention.py", "-k", "model or killed")
FORGOTTEN = ("tests/unit/aggregation/test_retention.py",)
CARRIED = ("tests/integration/test_carried_levels.py", "-k", "not under_load")
GUARDED = ("tests/integration/test_ledger_guards.py", "-k", "ledger")

STORE = "services/aggregation/store"
JUDGE = "services/aggregation/core/judge.py"
HORIZON = "services/aggregation/core/retention.py"
QUERIES = "services/aggregation/sql/queries.sql"
CARRY = f"{STORE}/carry.py"
LEDGER = "services/aggregation/sql/migrations/20261121000001_ledger.sql"


@dataclass(frozen=True, slots=True)
class Edit:
    """One textual change.

    Attributes:
        place: A file, or a folder in whose Python files the fragment stands once.
        fragment: A regular expression.
        replacement: What `re.sub` puts in its place.
    """

    place: str
    fragment: str
    replacement: str

    def make(self, tree: Path) -> None:
        """Change the tree; fail where the fragment does not stand exactly once."""
        for path, text in self.changed(tree).items():
            path.write_text(text, encoding="utf-8")
            if path.suffix == ".py":
                Path(cache_from_source(path)).unlink(missing_ok=True)

    def changed(self, tree: Path) -> dict[Path, str]:
        """Return what the change makes of files, and leave them as they are."""
        place = tree / self.place
        files = sorted(place.glob("*.py")) if place.is_dir() else [place]
        changed: dict[Path, str] = {}
        found = 0
        for path in files:
            text, count = re.subn(
                self.fragment,
                self.replacement,
                path.read_text(encoding="utf-8"),
                flags=re.DOTALL | re.MULTILINE,
            )
            if not count:
                continue
            found += count
            changed[path] = text
            if path.suffix == ".py":
                # A tree that cannot be read would fail every test, and show nothing.
                compile(text, str(path), "exec")
        assert found == 1, f"{self.fragment!r} stands {found} times in {self.place}"
        return changed


COMPARE = Edit(
    STORE, r"if stand\.get\(part\.partition\) != part\.first_offset:", "if False:"
)
SET = Edit(QUERIES, r" AND p\.next_offset = b\.expected_offset", "")
LOOK_UP = Edit(
    QUERIES,
    r"(^-- name: find_(?:rows|known)$.*?)(?=\n\n-- name)",
    r"\1\nLIMIT 0",
)
UNIQUE_KEY = Edit(
    LEDGER,
    r"^RESET ROLE;",
    "ALTER TABLE aggregation.ledger DROP CONSTRAINT ledger_pkey;\nRESET ROLE;",
)
TRANSACTION = Edit(
    f"{STORE}/ledger.py",
    r"connection\.transaction\(\)",
    "outages_as_transient()",
)


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is taken out, and which tests must notice."""

    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


COMPARE_AND_SET = Mutation((COMPARE, SET), STALE)
MUTATIONS: Mapping[str, Mutation] = {
    "look-up of duplicates in the batch": Mutation(
        (
            Edit(
                JUDGE,
                r"if (prior is not None|key in entered or key in older):",
                "if False:",
            ),
        ),
        JUDGING,
    ),
    "look-up of duplicates in the ledger": Mutation((LOOK_UP,), MODEL),
    "look-up in the ledger and unique key": Mutation((LOOK_UP, UNIQUE_KEY), MODEL),
    "unique key": Mutation((UNIQUE_KEY,), GUARDED),
    "transaction": Mutation((TRANSACTION,), WHOLE),
    "order of the records": Mutation(
        (Edit(JUDGE, r"for record in records:", "for record in reversed(records):"),),
        JUDGING,
    ),
    "rejection of what is too late": Mutation(
        (Edit(HORIZON, r"^            return None$", "            pass"),), FORGOTTEN
    ),
    "the latest log time": Mutation(
        (Edit(HORIZON, r"before is not None and before > kept_since", "False"),),
        FORGOTTEN,
    ),
    "entries apart that are forgotten within a batch": Mutation(
        (Edit(JUDGE, r"self\.apart\.pop\(key, None\)", "pass"),), FORGOTTEN
    ),
    "statements and reversals that faded": Mutation(
        (Edit(JUDGE, r"return \(\*faded, ", "return (*(), "),), FORGOTTEN
    ),
    "log time when rows are dropped": Mutation(
        (
            Edit(
                QUERIES,
                r"l\.logged_at < p\.kept_since AND l\.occurred_at < p\.kept_since",
                "l.logged_at < now() AND l.occurred_at < now()",
            ),
        ),
        FORGETTING,
    ),
    "memory of waiting reversals": Mutation(
        (Edit(QUERIES, r"AND r\.reversed_occurred_at >= p\.kept_since", "AND false"),),
        FORGETTING,
    ),
    "voided rows as old as their reversal": Mutation(
        (Edit(QUERIES, r"AND v\.logged_at >= p\.kept_since", "AND false"),),
        FORGETTING,
    ),
    "order of the totals": Mutation(
        (Edit(JUDGE, r"in sorted\(sums\)", "in sums"),), JUDGING
    ),
    "late events in what was carried": Mutation(
        (Edit(CARRY, r"if late:", "if False:"),), CARRIED
    ),
    "late statements in what was carried": Mutation(
        (Edit(CARRY, r"if restated:", "if False:"),), CARRIED
    ),
    "statements that replace late events": Mutation(
        (Edit(QUERIES, r"CASE WHEN b\.stated_on <= c\.day", "CASE WHEN false"),),
        CARRIED,
    ),
    "statements that go": Mutation(
        (
            Edit(
                CARRY, r"await connection\.execute\([^()]*\[\"drop_carried\"\].*?\)", ""
            ),
        ),
        CARRIED,
    ),
    "writers held while a day is carried": Mutation(
        (Edit(CARRY, r"await connection\.execute\([^()]*hold_writers\"\]\)", ""),),
        CARRIED,
    ),
}


def copy_tree(folder: Path) -> Path:
    """Copy what tests need, and what is compiled of it, which spares half of the time.

    A file keeps its time, so compiled code is as good in the copy.
    """
    folder.mkdir()
    # Written beside us now, under another name than it will have.
    left_out = shutil.ignore_patterns("*.pyc.*")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=left_out, symlinks=True)
        else:
            shutil.copyfile(source, folder / name)
    if (kept := ROOT / ".uptake").exists():
        # The jars of Apache Kafka, once fetched.
        (folder / ".uptake").symlink_to(kept)
    return folder


async def run_tests(tree: Path, tests: tuple[str, ...]) -> tuple[int, str]:
    """Run tests of a tree; return pytest's exit status and output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pytest",
        "--quiet",
        "--exitfirst",
        "-p",
        "no:cacheprovider",
        *tests,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        async with asyncio.timeout(SECONDS_MAX):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode or 0, out.decode()


@embedded
@pytest.mark.parametrize(
    "tests", [JUDGING, WHOLE, GUARDED, FORGETTING, CARRIED, FORGOTTEN]
)
async def test_copied_tree_passes_as_it_is(
    tests: tuple[str, ...], tmp_path: Path
) -> None:
    """Or a failure after a mutation would mean nothing."""
    status, said = await run_tests(copy_tree(tmp_path / "tree"), tests)
    assert status == 0, said


@embedded
@pytest.mark.parametrize("name", MUTATIONS)
async def test_tests_fail_without(name: str, tmp_path: Path) -> None:
    """Whoever takes this out of the code hears of it."""
    await fail_with(MUTATIONS[name], tmp_path)


@pytest.mark.kafka
async def test_copied_tree_passes_on_apache_kafka(tmp_path: Path) -> None:
    """As above, for the mutation that needs a partition to move."""
    status, said = await run_tests(copy_tree(tmp_path / "tree"), STALE)
    assert status == 0, said


@pytest.mark.kafka
async def test_tests_fail_without_compare_and_set(tmp_path: Path) -> None:
    """A process that slept through a rebalance would count again what it holds."""
    await fail_with(COMPARE_AND_SET, tmp_path)


async def fail_with(mutation: Mutation, tmp_path: Path) -> None:
    """Take something out of a copy of the tree, and see its tests fail."""
    tree = copy_tree(tmp_path / "tree")
    for edit in mutation.edits:
        edit.make(tree)
    status, said = await run_tests(tree, mutation.tests)
    assert status == SOME_FAILED, said
