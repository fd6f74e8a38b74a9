"""Tests of the tests: with something taken out of the code, tests must fail.

Each mutation is made in a copy of the tree, and tests run there in a process of their
own. A fragment that is no longer found fails too: mutations follow the code.
"""

import asyncio
import os
import re
import shutil
import sys
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

SECONDS_MAX = 300
"""How long tests may run in a copy."""

ROOT = Path(__file__).parents[2]
COPIED = ("services", "shared", "tests", "deploy", "pyproject.toml")
SOME_FAILED = 1
"""Exit status of pytest; others say that no test could run."""


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


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is taken out, and which tests must notice.

    Attributes:
        edits: All of them are made together.
        tests: Arguments of pytest.
    """

    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


def without(
    place: str, fragment: str, replacement: str, tests: tuple[str, ...]
) -> Mutation:
    """Take one thing out of one place."""
    return Mutation((Edit(place, fragment, replacement),), tests)


def never(place: str, condition: str, tests: tuple[str, ...]) -> Mutation:
    """Take out a condition, so that what stands under it never happens."""
    return without(place, rf"if {condition}:", "if False:", tests)


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


async def fail_with(mutation: Mutation, tmp_path: Path) -> None:
    """Take something out of a copy of the tree, and see its tests fail."""
    tree = copy_tree(tmp_path / "tree")
    for edit in mutation.edits:
        edit.make(tree)
    status, said = await run_tests(tree, mutation.tests)
    assert status == SOME_FAILED, said
