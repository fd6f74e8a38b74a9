"""Rules of the backtest."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

YEAR = ("tests/unit/alerting/test_scripted_year.py",)
LAWS = ("tests/property/test_backtest_laws.py",)
INSTANTS = ("tests/unit/alerting/test_replayed_instants.py",)
LEDGER = ("tests/integration/test_backtest.py",)

REPLAY = "services/alerting/core/backtest/replay.py"
KNOWLEDGE = "services/alerting/core/backtest/knowledge.py"
SQL = "services/alerting/sql/backtest.sql"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "year": YEAR,
    "laws": LAWS,
    "instants": INSTANTS,
    "ledger": LEDGER,
}
MUTATIONS: Mapping[str, Mutation] = {
    "credit of the looks between": without(
        REPLAY, r"life\.seen_at < last:", "life.seen_at > now:", YEAR
    ),
    "look when a wait is over": without(
        REPLAY, r"yield now \+ rest", "yield now", INSTANTS
    ),
    "look when a target has been met for long enough": without(
        REPLAY, r"yield memory\.status_since \+ MET_TOLD", "yield now", INSTANTS
    ),
    "look when figures are too old": without(
        REPLAY, r"yield known\.complete_until \+ _STALE", "yield now", INSTANTS
    ),
    "level of the due day": without(
        KNOWLEDGE,
        r"if days_left\(target, today\) < 0 else None",
        "if False else None",
        YEAR,
    ),
    "days that are complete": without(
        KNOWLEDGE, r"for each in range\(1, days \+ 1\)", "for each in range(days)", YEAR
    ),
    "days as known then": without(
        SQL,
        r"reporting\.daily_total_known_at\(\$7\)",
        "(SELECT * FROM reporting.daily_total WHERE $7::timestamptz IS NOT NULL)",
        LEDGER,
    ),
    "levels as known then": without(
        SQL,
        r"running_total_known_at\(\$4, \$5\)",
        "running_total_known_at($4, $5 + interval '3 days')",
        LEDGER,
    ),
}
