"""Tests of the tests: with a guarantee taken out of the code, its tests must fail.

What is taken out stands in `tests/faults/mutations`, by area; `-k "silence:"` runs the
mutations of one area.
"""

from pathlib import Path

import pytest

from tests.faults.mutations import APACHE_KAFKA, EMBEDDED
from tests.support.mutations import (
    SECONDS_MAX,
    Mutation,
    copy_tree,
    fail_with,
    run_tests,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS_MAX + 60)]

MARKED = [
    *((name, area, pytest.mark.embedded) for name, area in EMBEDDED.items()),
    *((name, area, pytest.mark.kafka) for name, area in APACHE_KAFKA.items()),
]
GROUPS = [
    pytest.param(tests, id=f"{name}: {group}", marks=mark)
    for name, area, mark in MARKED
    for group, tests in area.GROUPS.items()
]
MUTATIONS = [
    pytest.param(mutation, id=f"{name}: {what}", marks=mark)
    for name, area, mark in MARKED
    for what, mutation in area.MUTATIONS.items()
]


@pytest.mark.parametrize("tests", GROUPS)
async def test_copied_tree_passes_as_it_is(
    tests: tuple[str, ...], tmp_path: Path
) -> None:
    """Or a failure after a mutation would mean nothing."""
    status, said = await run_tests(copy_tree(tmp_path / "tree"), tests)
    assert status == 0, said


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_tests_fail_without(mutation: Mutation, tmp_path: Path) -> None:
    """Whoever takes this out of the code hears of it."""
    await fail_with(mutation, tmp_path)
