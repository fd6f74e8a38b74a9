"""Mutations that still find what they take out, told at once and not by night."""

import re
from pathlib import Path

import pytest

from tests.faults.mutations import AREAS
from tests.support.mutations import ROOT

pytestmark = pytest.mark.embedded
FOLDER = Path(__file__).parent / "mutations"


def files_of(tests: tuple[str, ...]) -> list[str]:
    """Return the files and folders among the arguments of pytest."""
    return [each for each in tests if each.startswith("tests/")]


def test_every_module_of_mutations_is_run() -> None:
    """A new area is not forgotten where areas are listed."""
    assert {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} == set(AREAS)


@pytest.mark.parametrize("name", AREAS)
def test_every_mutation_finds_what_it_takes_out(name: str) -> None:
    """Whoever moves a rule moves its mutation with it, in the same change."""
    for what, mutation in AREAS[name].MUTATIONS.items():
        assert mutation.edits, what
        for edit in mutation.edits:
            assert edit.changed(ROOT), what
        assert files_of(mutation.tests), what
        for each in files_of(mutation.tests):
            assert (ROOT / each).exists(), f"{what}: there is no {each}"


@pytest.mark.parametrize("name", AREAS)
def test_every_test_that_must_fail_is_seen_to_pass(name: str) -> None:
    """In the tree as it is, in some group: or its failure would mean nothing."""
    groups = AREAS[name].GROUPS.values()
    seen = {Path(each) for tests in groups for each in files_of(tests)}
    for what, mutation in AREAS[name].MUTATIONS.items():
        for each in files_of(mutation.tests):
            assert seen & {Path(each), *Path(each).parents}, f"{what}: {each}"


def test_page_of_rules_names_what_there_is() -> None:
    """Each mutation in italics, each test in code: nothing is only said to be shown."""
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    known = {what for area in AREAS.values() for what in area.MUTATIONS}
    assert set(re.findall(r"\*([^*]+)\*", rows)) <= known
    for path, test in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", rows):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not test or f"def {test}(" in text, path
