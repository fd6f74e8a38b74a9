"""Mutations that still find what they take out, told at once and not by night."""

import importlib
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
