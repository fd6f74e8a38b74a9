"""With a rule of the board's security taken out of the code, its tests must fail."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.test_mutations import (
    SECONDS_MAX,
    Edit,
    Mutation,
    copy_tree,
    fail_with,
    run_tests,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded,
    pytest.mark.timeout(SECONDS_MAX + 60),
]

QUICK = ("tests/unit/board", "tests/contract/test_board_documents.py")
VIEWS = ("tests/integration/test_receipt_memory.py",)
DOORS = "services/board/web/doors.py"
CALLERS = "services/board/core/callers.py"
RECEIPTS = "shared/postgres/receipts.sql"

MUTATIONS: Mapping[str, Mutation] = {
    "valid keys only": Mutation(
        (
            Edit(
                CALLERS,
                r"return self\._callers\.get\(digest\)",
                "return self._callers.get(digest, next(iter(self._callers.values())))",
            ),
        ),
        QUICK,
    ),
    "keys and not their hashes": Mutation(
        (
            Edit(
                CALLERS,
                r"return self\._callers\.get\(digest\)",
                "return self._callers.get(digest, self._callers.get(key))",
            ),
        ),
        QUICK,
    ),
    "keys that are taken away": Mutation(
        (
            Edit(
                CALLERS,
                r"def replace\(self.*?self\._callers = .*?$",
                "def replace(self, callers):\n"
                "        self._callers = {**self._callers, **callers}",
            ),
        ),
        QUICK,
    ),
    "one key in a request": Mutation(
        (Edit(DOORS, r"if len\(given\) == 1 else None", "if given else None"),), QUICK
    ),
    "receipts for agencies only": Mutation(
        (Edit(DOORS, r"if caller\.agency is None:", "if False:"),), QUICK
    ),
    "own sources only": Mutation(
        (Edit(DOORS, r"if foreign is not None:", "if False:"),), QUICK
    ),
    "a source is more than how its path begins": Mutation(
        (
            Edit(
                CALLERS,
                r"agency\.owns_source\(source\)",
                "source.startswith(agency.sources)",
            ),
        ),
        QUICK,
    ),
    "no key in the log": Mutation(
        (
            Edit(
                DOORS,
                r'"reason": "the key is not valid" if has_key',
                '"reason": str(given) if has_key',
            ),
        ),
        QUICK,
    ),
    "bodies of bounded length": Mutation(
        (Edit(DOORS, r"^        if received > limit:", "        if False:"),), QUICK
    ),
    "bodies of bounded time": Mutation(
        (Edit(DOORS, r"asyncio\.timeout\(seconds_max\)", "asyncio.timeout(None)"),),
        QUICK,
    ),
    "own rejections only": Mutation(
        (
            Edit(
                RECEIPTS,
                r"AND \(\$4::text IS NULL OR r\.agency = \$4\)",
                "AND ($4::text IS NULL OR true)",
            ),
        ),
        VIEWS,
    ),
    "own rows only": Mutation(
        (
            Edit(
                RECEIPTS,
                r"AND \(\$4::text IS NULL OR l\.agency = \$4\)",
                "AND ($4::text IS NULL OR true)",
            ),
        ),
        VIEWS,
    ),
}


@pytest.mark.parametrize("tests", [QUICK, VIEWS])
async def test_copied_tree_passes_as_it_is(
    tests: tuple[str, ...], tmp_path: Path
) -> None:
    """Or a failure after a mutation would mean nothing."""
    status, said = await run_tests(copy_tree(tmp_path / "tree"), tests)
    assert status == 0, said


@pytest.mark.parametrize("name", MUTATIONS)
async def test_tests_fail_without(name: str, tmp_path: Path) -> None:
    """Whoever takes this out of the code hears of it."""
    await fail_with(MUTATIONS[name], tmp_path)
