"""Guarantees of the counting."""

from collections.abc import Mapping

from tests.support.mutations import Edit, Mutation, without

JUDGING = ("tests/unit/aggregation", "tests/property/test_counting_laws.py")
WHOLE = ("tests/integration/test_whole_batches.py",)
MODEL = ("tests/integration/test_retention.py", "-k", "model")
FORGETTING = ("tests/integration/test_retention.py", "-k", "model or killed")
FORGOTTEN = ("tests/unit/aggregation/test_retention.py",)
CARRIED = ("tests/integration/test_carried_levels.py", "-k", "not under_load")
GUARDED = ("tests/integration/test_ledger_guards.py", "-k", "ledger")

OUTAGES = ("tests/unit/shared/test_pool.py",)

STORE = "services/aggregation/store"
JUDGE = "services/aggregation/core/judge.py"
HORIZON = "services/aggregation/core/retention.py"
WAITING = "services/aggregation/consumer/waiting.py"
QUERIES = "services/aggregation/sql/queries.sql"
CARRY = f"{STORE}/carry.py"
LEDGER = "services/aggregation/sql/migrations/20261121000001_ledger.sql"
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
GROUPS: Mapping[str, tuple[str, ...]] = {
    "judging": JUDGING,
    "whole": WHOLE,
    "guarded": GUARDED,
    "forgetting": FORGETTING,
    "carried": CARRIED,
    "forgotten": FORGOTTEN,
    "outages": OUTAGES,
}
MUTATIONS: Mapping[str, Mutation] = {
    "look-up of duplicates in the batch": without(
        JUDGE,
        r"if (prior is not None|key in entered or key in older):",
        "if False:",
        JUDGING,
    ),
    "look-up of duplicates in the ledger": Mutation((LOOK_UP,), MODEL),
    "look-up in the ledger and unique key": Mutation((LOOK_UP, UNIQUE_KEY), MODEL),
    "unique key": Mutation((UNIQUE_KEY,), GUARDED),
    "transaction": without(
        f"{STORE}/ledger.py",
        r"connection\.transaction\(\)",
        "outages_as_transient()",
        WHOLE,
    ),
    "order of the records": without(
        JUDGE, r"for record in records:", "for record in reversed(records):", JUDGING
    ),
    "rejection of what is too late": without(
        HORIZON, r"^            return None$", "            pass", FORGOTTEN
    ),
    "the latest log time": without(
        HORIZON, r"before is not None and before > kept_since", "False", FORGOTTEN
    ),
    "entries apart that are forgotten within a batch": without(
        JUDGE, r"self\.apart\.pop\(key, None\)", "pass", FORGOTTEN
    ),
    "statements and reversals that faded": without(
        JUDGE, r"return \(\*faded, ", "return (*(), ", FORGOTTEN
    ),
    "log time when rows are dropped": without(
        QUERIES,
        r"l\.logged_at < p\.kept_since AND l\.occurred_at < p\.kept_since",
        "l.logged_at < now() AND l.occurred_at < now()",
        FORGETTING,
    ),
    "memory of waiting reversals": without(
        QUERIES,
        r"AND r\.reversed_occurred_at >= p\.kept_since",
        "AND false",
        FORGETTING,
    ),
    "voided rows as old as their reversal": without(
        QUERIES, r"AND v\.logged_at >= p\.kept_since", "AND false", FORGETTING
    ),
    "partitions that are ours when the wait for room ends": without(
        WAITING,
        r"lambda: self\.room_records",
        "lambda ours=list(ours): self.room_records",
        JUDGING,
    ),
    "outages behind a reset that fails": without(
        "shared/postgres/pool.py",
        r"return _is_outage\(error\.__context__\)",
        "return False",
        OUTAGES,
    ),
    "order of the totals": without(JUDGE, r"in sorted\(sums\)", "in sums", JUDGING),
    "late events in what was carried": without(
        CARRY, r"if late:", "if False:", CARRIED
    ),
    "late statements in what was carried": without(
        CARRY, r"if restated:", "if False:", CARRIED
    ),
    "statements that replace late events": without(
        QUERIES, r"CASE WHEN b\.stated_on <= c\.day", "CASE WHEN false", CARRIED
    ),
    "statements that go": without(
        CARRY,
        r"await connection\.execute\([^()]*\[\"drop_carried\"\].*?\)",
        "",
        CARRIED,
    ),
    "writers held while a day is carried": without(
        CARRY, r"await connection\.execute\([^()]*hold_writers\"\]\)", "", CARRIED
    ),
}
