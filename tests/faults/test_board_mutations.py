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
REACHED = ("tests/integration/test_board_reach.py",)
DOORS = "services/board/web/doors.py"
CALLERS = "services/board/core/callers.py"
REACH = "services/board/core/reach.py"
GUARD = "services/board/guard/guard.py"
READERS = "services/board/guard/readers.py"
QUERIES = "services/board/sql/queries.sql"
RING = "shared/catalogue/keys.py"
FOLLOWING = "shared/followed.py"
AUDIT = "shared/audit.py"
RECEIPTS = "shared/postgres/receipts.sql"


def without(
    place: str, fragment: str, replacement: str, tests: tuple[str, ...] = QUICK
) -> Mutation:
    """Take one thing out of one file."""
    return Mutation((Edit(place, fragment, replacement),), tests)


KEYS_OUT: Mapping[str, Mutation] = {
    "comparison of keys": without(
        RING, r"hmac\.compare_digest\(entry\.key\.sha256, wanted\)", "False"
    ),
    "last day of a key": without(RING, r" and day > key\.last_day", " and False"),
    "last day by the local calendar": without(
        READERS, r"\.astimezone\(self\._zone\)", ""
    ),
    "agencies whose key is over kept from being readers": without(
        GUARD, r"if agency\.owner_id is not None:", "if False:"
    ),
    "readers that are taken away": without(
        READERS, r"if tuple\(readers\) == self\._readers:", "if not readers:"
    ),
    "readers that follow their file": without(
        FOLLOWING, r"source\.take\(loaded\)", "pass"
    ),
    "agencies that follow their files": without(
        GUARD, r"group\.create_task\(self\._agencies\.run\(\)\)", "pass"
    ),
    "word of a wrong file": without(
        FOLLOWING, r"reload_successful\.set\(0\)", "reload_successful.set(1)"
    ),
    "readers with keys of their own": without(
        READERS, r"check_apart\(readers, self\._agencies\(\)\)", "pass"
    ),
    "readers looked at when an agency's keys change": without(
        READERS, r"digest\.update\(sha256\.encode\(\)\)", "pass"
    ),
    "last days of readers' keys": without(
        "shared/readers.py", r", key\.last_day\) for key", ") for key"
    ),
    "one key in a request": without(RING, r"len\(authorizations\) > 1 or ", ""),
    "keys that end while a body comes": without(
        DOORS,
        r"^        caller = self\._guard\.admit\(request\)\n        agency",
        "        agency",
    ),
    "a line about a wrong key": without(
        GUARD, r"self\.audit\.note\((\s+Attempt\(\s+status=401)", r"str(\1"
    ),
    "a line about asking for more": without(
        DOORS, r"self\._guard\.note_not_yours\(request, caller, error\)", "pass"
    ),
    "no key in the log": without(
        GUARD, r"reason=denied\.reason\.value", "reason=str(request.headers)"
    ),
    "bound of the lines": without(
        AUDIT, r"if self\._limiter\.limit\([^\n]*\)\.limited:", "if False:"
    ),
    "lines of readers apart": without(
        AUDIT, r"return _NOBODY if self\.reader is None else ", "return _NOBODY or "
    ),
}
REACH_OUT: Mapping[str, Mutation] = {
    "receipts for agencies only": without(CALLERS, r"if agency is None:", "if False:"),
    "own sources only": without(CALLERS, r"    if foreign:", "    if False:"),
    "a source is more than how its path begins": without(
        CALLERS, r"agency\.owns_source\(each\)", "each.startswith(agency.sources)"
    ),
    "sources of a key": without(
        RING,
        r"agency\.sources if key\.sources is None else key\.sources",
        "agency.sources",
    ),
    "indicators of a key": without(
        RING,
        r"agency\.indicators if key\.indicators is None else key\.indicators",
        "agency.indicators",
    ),
    "locality of a key": without(
        RING,
        r"agency\.locality if key\.locality is None else key\.locality",
        "agency.locality",
    ),
    "own indicators by name": without(
        REACH,
        r"if indicator is not None and indicator not in agency\.indicators:\n +raise",
        "if False:\n        raise",
    ),
    "own places by name": without(
        REACH,
        r"if unit is None or not tree\.is_within\(unit\.key, agency\.locality, day\):",
        "if False:",
    ),
    "own indicators of levels": without(
        REACH, r", reach=Reach\(_indicators\(agency\)\)\)", ")"
    ),
    "own indicators and places of rows": without(
        REACH,
        r"return replace\(question, reach=Reach\(_indicators\(agency\), units\)\)",
        "return question",
    ),
    "places of rows": without(
        REACH, r"Reach\(_indicators\(agency\), units\)", "Reach()"
    ),
    "places that are not there": without(
        REACH,
        r"if unit is None:\n        return \(\)",
        "if unit is None:\n        return None",
    ),
    "figures of receipts": without(
        DOORS, r"return receipt if is_seen else ", "return receipt or "
    ),
    "figures of other indicators": without(
        REACH,
        r"if indicator is not None and indicator not in agency\.indicators:\n +return",
        "if False:\n        return",
    ),
    "figures of other places": without(
        REACH, r"return tree\.is_within\(unit, agency\.locality, day\)", "return True"
    ),
    "totals of own indicators": without(
        QUERIES,
        r"indicator = ANY\(\$5\)\)(?=\n\n-- name: read_totals_known_at)",
        "true)",
        REACHED,
    ),
    "totals of own indicators as known at": without(
        QUERIES,
        r"indicator = ANY\(\$5\)\)(?=\n\n-- name: read_newest)",
        "true)",
        REACHED,
    ),
    "targets of own indicators": without(
        QUERIES, r"s\.indicator = ANY\(\$7\)", "true", REACHED
    ),
    "targets of own places": without(
        QUERIES, r"\$8::text\[\] IS NULL$", "$8::text[] IS NULL OR true", REACHED
    ),
    "alerts of own indicators": without(
        QUERIES, r"indicator = ANY\(\$11\)", "true", REACHED
    ),
    "alerts of own places": without(
        QUERIES, r"\$12::text\[\] IS NULL$", "$12::text[] IS NULL OR true", REACHED
    ),
}
BOUNDS_OUT: Mapping[str, Mutation] = {
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
MUTATIONS = {**KEYS_OUT, **REACH_OUT, **BOUNDS_OUT}


@pytest.mark.parametrize("tests", [QUICK, VIEWS, REACHED])
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
