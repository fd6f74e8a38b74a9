"""Rules of the board's security."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

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

GROUPS: Mapping[str, tuple[str, ...]] = {
    "quick": QUICK,
    "views": VIEWS,
    "reached": REACHED,
}
KEYS_OUT: Mapping[str, Mutation] = {
    "comparison of keys": without(
        RING, r"hmac\.compare_digest\(entry\.key\.sha256, wanted\)", "False", QUICK
    ),
    "last day of a key": without(
        RING, r" and day > key\.last_day", " and False", QUICK
    ),
    "last day by the local calendar": without(
        READERS, r"\.astimezone\(self\._zone\)", "", QUICK
    ),
    "agencies whose key is over kept from being readers": without(
        GUARD, r"if agency\.owner_id is not None:", "if False:", QUICK
    ),
    "readers that are taken away": without(
        READERS, r"if tuple\(readers\) == self\._readers:", "if not readers:", QUICK
    ),
    "readers that follow their file": without(
        FOLLOWING, r"source\.take\(loaded\)", "pass", QUICK
    ),
    "agencies that follow their files": without(
        GUARD, r"group\.create_task\(self\._agencies\.run\(\)\)", "pass", QUICK
    ),
    "word of a wrong file": without(
        FOLLOWING, r"reload_successful\.set\(0\)", "reload_successful.set(1)", QUICK
    ),
    "readers with keys of their own": without(
        READERS, r"check_apart\(readers, self\._agencies\(\)\)", "pass", QUICK
    ),
    "readers looked at when an agency's keys change": without(
        READERS, r"digest\.update\(sha256\.encode\(\)\)", "pass", QUICK
    ),
    "last days of readers' keys": without(
        "shared/readers.py", r", key\.last_day\) for key", ") for key", QUICK
    ),
    "one key in a request": without(RING, r"len\(authorizations\) > 1 or ", "", QUICK),
    "keys that end while a body comes": without(
        DOORS,
        r"^        caller = self\._guard\.admit\(request\)\n        agency",
        "        agency",
        QUICK,
    ),
    "a line about a wrong key": without(
        GUARD, r"self\.audit\.note\((\s+Attempt\(\s+status=401)", r"str(\1", QUICK
    ),
    "a line about asking for more": without(
        DOORS, r"self\._guard\.note_not_yours\(request, caller, error\)", "pass", QUICK
    ),
    "no key in the log": without(
        GUARD, r"reason=denied\.reason\.value", "reason=str(request.headers)", QUICK
    ),
    "bound of the lines": without(
        AUDIT, r"if self\._limiter\.limit\([^\n]*\)\.limited:", "if False:", QUICK
    ),
    "lines of readers apart": without(
        AUDIT,
        r"return _NOBODY if self\.reader is None else ",
        "return _NOBODY or ",
        QUICK,
    ),
}
REACH_OUT: Mapping[str, Mutation] = {
    "receipts for agencies only": without(
        CALLERS, r"if agency is None:", "if False:", QUICK
    ),
    "own sources only": without(CALLERS, r"    if foreign:", "    if False:", QUICK),
    "a source is more than how its path begins": without(
        CALLERS,
        r"agency\.owns_source\(each\)",
        "each.startswith(agency.sources)",
        QUICK,
    ),
    "sources of a key": without(
        RING,
        r"agency\.sources if key\.sources is None else key\.sources",
        "agency.sources",
        QUICK,
    ),
    "indicators of a key": without(
        RING,
        r"agency\.indicators if key\.indicators is None else key\.indicators",
        "agency.indicators",
        QUICK,
    ),
    "locality of a key": without(
        RING,
        r"agency\.locality if key\.locality is None else key\.locality",
        "agency.locality",
        QUICK,
    ),
    "own indicators by name": without(
        REACH,
        r"if indicator is not None and indicator not in agency\.indicators:\n +raise",
        "if False:\n        raise",
        QUICK,
    ),
    "own places by name": without(
        REACH,
        r"if unit is None or not tree\.is_within\(unit\.key, agency\.locality, day\):",
        "if False:",
        QUICK,
    ),
    "own indicators of levels": without(
        REACH, r", reach=Reach\(_indicators\(agency\)\)\)", ")", QUICK
    ),
    "own indicators and places of rows": without(
        REACH,
        r"return replace\(question, reach=Reach\(_indicators\(agency\), units.*?\)\)",
        "return question",
        QUICK,
    ),
    "places of rows": without(
        REACH,
        r"Reach\(_indicators\(agency\), units, ",
        "Reach(_indicators(agency), None, ",
        QUICK,
    ),
    "alerts about agencies for that agency": without(
        REACH, r", units, agency\.id\)", ", units)", QUICK
    ),
    "places that are not there": without(
        REACH,
        r"if unit is None:\n        return \(\)",
        "if unit is None:\n        return None",
        QUICK,
    ),
    "figures of receipts": without(
        DOORS, r"return receipt if is_seen else ", "return receipt or ", QUICK
    ),
    "figures of other indicators": without(
        REACH,
        r"if indicator is not None and indicator not in agency\.indicators:\n +return",
        "if False:\n        return",
        QUICK,
    ),
    "figures of other places": without(
        REACH,
        r"return tree\.is_within\(unit, agency\.locality, day\)",
        "return True",
        QUICK,
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
    "alerts about the own agency only": without(
        QUERIES, r"agency IS NULL OR agency = \$14", "true", REACHED
    ),
    "alerts about an agency for its whole subtree only": without(
        QUERIES, r"locality = ANY\(\$12\)", "true", REACHED
    ),
}
BOUNDS_OUT: Mapping[str, Mutation] = {
    "bodies of bounded length": without(
        DOORS, r"^        if received > limit:", "        if False:", QUICK
    ),
    "bodies of bounded time": without(
        DOORS, r"asyncio\.timeout\(seconds_max\)", "asyncio.timeout(None)", QUICK
    ),
    "own rejections only": without(
        RECEIPTS,
        r"AND \(\$4::text IS NULL OR r\.agency = \$4\)",
        "AND ($4::text IS NULL OR true)",
        VIEWS,
    ),
    "own rows only": without(
        RECEIPTS,
        r"AND \(\$4::text IS NULL OR l\.agency = \$4\)",
        "AND ($4::text IS NULL OR true)",
        VIEWS,
    ),
}
MUTATIONS: Mapping[str, Mutation] = {**KEYS_OUT, **REACH_OUT, **BOUNDS_OUT}
