"""`uptake totals`, `targets`, `alerts` and `reconcile` on a system that has counted."""

import csv
import io
import json

import asyncpg
import pytest

from tests.support.events import CAO_BANG, HOANG_LOC, THANH_HOA, event, now, opened
from tests.support.rebuilding import rebuild
from tests.support.stack import Stack
from tests.support.uptake_command import run_uptake

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]

TERA = 10**9

# Views as alerting makes them, with one row each.
ONE_TARGET = """
DROP VIEW reporting.target_status, reporting.target_forecast, reporting.alert;
CREATE VIEW reporting.target_forecast AS SELECT
    'demo-cashless'::text AS target, '2026-11-20'::date AS day,
    '2029-10-03'::date AS p10, '2030-01-15'::date AS p50, NULL::date AS p90,
    9712 AS miss_bp, NULL::text AS reason,
    '2026-11-20T18:00Z'::timestamptz AS made_at;
CREATE VIEW reporting.target_status AS SELECT
    'demo-cashless'::text AS target, 'cashless_accounts'::text AS indicator,
    '38'::text AS locality, '2025-07-01'::date AS valid_from,
    'lagging'::text AS status, NULL::text AS reason, 854000::numeric AS actual,
    1111111.1::numeric AS expected, 0::bigint AS start_value,
    2000000::numeric AS goal, '2026-01-01'::date AS start_date,
    '2026-12-31'::date AS due, 7999 AS position_bp, 5999 AS pace_7_bp,
    NULL::integer AS pace_28_bp, 11942.5::numeric AS required_per_day,
    410::numeric AS achieved_7_per_day, NULL::numeric AS achieved_28_per_day,
    true AS illustrative, '2026-11-21T12:00Z'::timestamptz AS status_since,
    '2026-11-21T12:00Z'::timestamptz AS evaluated_at,
    'stock'::text AS measure, 'logistic'::text AS trajectory,
    NULL::text AS period, 8000 AS goal_share_bp,
    'population_15_plus'::text AS population_group,
    2500000::numeric AS population, '2025-07-01'::date AS population_as_of,
    'made up'::text AS population_source, true AS population_illustrative,
    'demo-cashless-2025'::text AS succeeds, NULL::text AS succeeded_by;
CREATE VIEW reporting.alert AS SELECT
    'f1'::text AS fingerprint, 'TargetLagging'::text AS kind,
    'demo-cashless'::text AS target, 'cashless_accounts'::text AS indicator,
    '38'::text AS locality, 'firing'::text AS state, 1 AS episode,
    '2026-11-21T12:40Z'::timestamptz AS state_since,
    '2026-11-21T12:00Z'::timestamptz AS pending_since,
    '2026-11-21T12:40Z'::timestamptz AS firing_since,
    NULL::timestamptz AS resolved_at, 'Behind.'::text AS summary_en,
    'Chậm tiến độ.'::text AS summary_vi,
    '2026-11-21T12:40Z'::timestamptz AS evaluated_at, NULL::text AS agency;
"""


async def count_something(stack: Stack) -> None:
    """Count at a commune, at two provinces and at the nation; one duplicate."""
    await stack.start("ingest", "aggregation")
    once = opened(TERA)
    sale = event(
        "uptake.ecommerce.completed", locality=HOANG_LOC, count=3, amount=412_750
    )
    for agency, batch in (
        ("bank", [once, once, opened(7, locality=THANH_HOA), sale]),
        (
            "census",
            [
                event(
                    "uptake.indicator.counted",
                    source="/test/census",
                    indicator="cashless_accounts",
                    locality=place,
                    count=count,
                )
                for place, count in ((CAO_BANG, 11), ("VN", 13))
            ],
        ),
    ):
        answer = await stack.post(batch, agency=agency)
        assert answer.body["refused"] == [], answer
    await stack.wait_applied(6)


async def execute(stack: Stack, statement: str) -> None:
    """Change the database behind aggregation's back."""
    connection = await asyncpg.connect(stack.dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_totals_are_exact_in_every_form(stack: Stack) -> None:
    """A unit, its children, JSON and CSV say the same integers."""
    await count_something(stack)
    ran = await run_uptake(stack, "totals", "--locality", THANH_HOA)
    assert ran.status == 0, ran
    assert "1,000,000,007" in ran.out
    assert "412,750" in ran.out
    assert ran.widest <= 80
    ran = await run_uptake(
        stack, "totals", "--children", "--indicator", "cashless_accounts", "--json"
    )
    found = {row["locality"]: row["count"] for row in json.loads(ran.out)["totals"]}
    assert found == {
        "VN": TERA + 31,
        "VN-unallocated": 13,
        CAO_BANG: 11,
        THANH_HOA: TERA + 7,
    }
    ran = await run_uptake(
        stack, "totals", "--locality", THANH_HOA, "--children", "--csv"
    )
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    counts = [
        (row["locality"], row["count"])
        for row in rows
        if row["indicator"] == "cashless_accounts"
    ]
    assert counts == [
        (THANH_HOA, str(TERA + 7)),
        (HOANG_LOC, str(TERA)),
        ("38-unallocated", "7"),
    ]
    ran = await run_uptake(stack, "totals", "--children")
    assert ran.widest <= 80
    past = f"{now().year}-01-01"
    ran = await run_uptake(stack, "totals", "--day", past, "--json")
    assert json.loads(ran.out)["totals"] == []
    ran = await run_uptake(stack, "totals", "--locality", "99")
    assert ran.status == 1
    assert "no locality 99" in ran.errors
    assert len(ran.errors.splitlines()) == 1


async def test_reconcile_finds_nothing_on_a_sound_system(stack: Stack) -> None:
    """Everything is equal; a control that differs is shown and decides nothing."""
    await count_something(stack)
    control = event(
        "uptake.control.stated",
        indicator="cashless_accounts",
        day=now().date().isoformat(),
        count=5,
    )
    assert (await stack.post(control)).status == 202
    await stack.wait_applied(7)
    ran = await run_uptake(stack, "reconcile")
    assert ran.status == 0, ran
    assert "DIFFER" not in ran.out
    assert "1 compared, 1 of them not as counted" in ran.out
    assert ran.widest <= 80
    ran = await run_uptake(stack, "reconcile", "--json")
    told = json.loads(ran.out)
    assert told["equal"] is True
    assert sum(row["applied"] for row in told["partitions"]) == 7
    assert set(told["in_flight"].values()) == {0}


async def test_reconcile_names_what_differs(stack: Stack) -> None:
    """A changed total, a lost ledger row, a lost class and a lost log are named."""
    await count_something(stack)
    await stack.kill("aggregation")
    await execute(
        stack,
        "UPDATE aggregation.daily_total SET count = count + 1 WHERE series_id = "
        "(SELECT series_id FROM aggregation.series "
        " WHERE locality = '04-unallocated');"
        "DELETE FROM aggregation.ledger WHERE amount = 412750;"
        "ALTER TABLE aggregation.progress DROP CONSTRAINT every_record_has_one_class;"
        "UPDATE aggregation.progress SET duplicates = duplicates + 1 "
        "WHERE partition = (SELECT max(partition) FROM aggregation.progress)",
    )
    await stack.post(opened(1))
    ran = await run_uptake(stack, "reconcile")
    assert ran.status == 1, ran
    assert "12 kept, 11 found" in ran.out
    assert "412,750 kept, - found" in ran.out
    differing = [line for line in ran.out.splitlines() if "DIFFER" in line]
    assert len(differing) == 3, ran.out
    await execute(stack, "UPDATE aggregation.progress SET next_offset = 100")
    ran = await run_uptake(stack, "reconcile", "--json")
    told = json.loads(ran.out)
    assert told["equal"] is False
    log = next(check for check in told["checks"] if "log end" in check["check"])
    assert log["equal"] is False


DOUBLE = (
    "INSERT INTO aggregation.ledger SELECT * FROM aggregation.ledger "
    "WHERE amount = 412750;"
)
READY = (
    "UPDATE pg_index SET indisready = {} "
    "WHERE indexrelid = 'aggregation.ledger_pkey'::regclass;"
)


@pytest.mark.parametrize(
    "damage",
    [
        "ALTER TABLE aggregation.ledger DROP CONSTRAINT ledger_pkey;" + DOUBLE,
        # The index takes the row not up, and serves on: what corruption looks like.
        READY.format("false") + DOUBLE + READY.format("true"),
    ],
    ids=["missing key", "corrupt index"],
)
async def test_reconcile_names_events_that_stand_twice(
    stack: Stack, damage: str
) -> None:
    """Whatever became of the unique key, the table itself is read."""
    await count_something(stack)
    await stack.kill("aggregation")
    ran = await run_uptake(stack, "reconcile")
    assert "equal   every (source, id) stands once in the ledger" in ran.out
    for statement in damage.removesuffix(";").split(";"):
        await execute(stack, statement)
    rows = await stack.fetch("SELECT source, id FROM reporting.ledger WHERE amount > 0")
    assert len(rows) == 2
    source, id_ = rows[0]
    ran = await run_uptake(stack, "reconcile")
    assert ran.status == 1, ran
    assert "DIFFER  every (source, id) stands once in the ledger" in ran.out
    assert f"{source} {id_}: 2 rows, partition " in ran.out
    assert "docs/runbooks/platform.md" in ran.out
    ran = await run_uptake(stack, "reconcile", "--json")
    (check,) = (
        check
        for check in json.loads(ran.out)["checks"]
        if "stands once" in check["check"]
    )
    assert (check["equal"], check["differing"]) == (False, 1)
    assert (check["differences"][0]["id"], check["differences"][0]["rows"]) == (id_, 2)
    # What the runbook says.
    await rebuild(stack)
    if "DROP CONSTRAINT" in damage:
        await execute(stack, "ALTER TABLE aggregation.ledger ADD PRIMARY KEY (key)")
    ran = await run_uptake(stack, "reconcile")
    assert ran.status == 0, ran


async def test_commands_without_views_or_servers_say_one_line(stack: Stack) -> None:
    """A missing view and a missing server are no tracebacks."""
    await execute(stack, "DROP SCHEMA reporting CASCADE")
    for command in (("totals",), ("targets",), ("alerts",), ("reconcile",)):
        ran = await run_uptake(stack, *command)
        assert ran.status == 1, ran
        assert "run `uptake migrate`" in ran.errors
        assert len(ran.errors.splitlines()) == 1
    ran = await run_uptake(
        stack, "totals", UPTAKE_POSTGRES_DSN="postgresql://nobody@127.0.0.1:9/x"
    )
    assert ran.status == 1
    assert "postgres does not answer" in ran.errors


async def test_targets_and_alerts_show_what_alerting_keeps(stack: Stack) -> None:
    """Rows of the two views, with names, ratios cut and not rounded up."""
    await execute(stack, ONE_TARGET)
    ran = await run_uptake(stack, "targets")
    assert ran.status == 0, ran
    assert "0.79" in ran.out
    assert "1,111,111" in ran.out
    assert ran.widest <= 80
    ran = await run_uptake(stack, "targets", "demo-cashless")
    assert "P10 2029-10-03, P50 2030-01-15, P90 beyond ten years" in ran.out
    assert "chance of missing 0.97, from the days up to 2026-11-20" in ran.out
    assert "80 % of 2,500,000 population_15_plus (2025-07-01: made up)" in ran.out
    assert "succeeds   demo-cashless-2025" in ran.out
    ran = await run_uptake(stack, "targets", "--json")
    row = json.loads(ran.out)["targets"][0]
    assert (row["actual"], row["expected"]) == (854_000, 1_111_111.1)
    assert (row["p90"], row["miss_bp"], row["no_forecast"]) == (None, 9_712, None)
    assert '"expected": 1111111.1' in ran.out
    ran = await run_uptake(stack, "alerts")
    assert "firing" in ran.out
    assert "2026-11-21 19:40" in ran.out
    ran = await run_uptake(stack, "alerts", "show", "demo-cashless")
    assert ran.status == 0, ran
    assert "Chậm tiến độ." in ran.out
    assert ran.widest <= 80
    ran = await run_uptake(stack, "alerts", "show", "other")
    assert ran.status == 1
