"""Mutations that still find what they take out, told at once and not by night."""

import importlib
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.test_mutations import COMPARE_AND_SET, ROOT, Mutation

pytestmark = pytest.mark.embedded
MODULES = sorted(path.stem for path in Path(__file__).parent.glob("test_*mutations.py"))


def mutations_of(module: str) -> Mapping[str, Mutation]:
    """Return the mutations of a module, by what they take out."""
    loaded = importlib.import_module(f"tests.faults.{module}")
    mutations: Mapping[str, Mutation] = loaded.MUTATIONS
    return mutations


@pytest.mark.parametrize("module", MODULES)
def test_every_mutation_finds_what_it_takes_out(module: str) -> None:
    """Whoever moves a rule moves its mutation with it, in the same change."""
    named = {**mutations_of(module), "compare-and-set": COMPARE_AND_SET}
    for name, mutation in named.items():
        assert mutation.edits, name
        for edit in mutation.edits:
            assert edit.changed(ROOT), name
        files = [each for each in mutation.tests if each.startswith("tests/")]
        assert files, name
        for each in files:
            assert (ROOT / each).exists(), f"{name}: there is no {each}"


def test_page_of_rules_names_what_there_is() -> None:
    """Each mutation in italics, each test in code: nothing is only said to be shown."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    known = {name for module in MODULES for name in mutations_of(module)}
    assert set(re.findall(r"\*([^*]+)\*", rows)) <= known
    for path, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", rows):
        assert f"def {test}" in (ROOT / path).read_text(encoding="utf-8"), path
