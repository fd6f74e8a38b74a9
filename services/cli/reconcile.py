"""`uptake reconcile`: recounts everything and compares it with what is kept."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import asyncpg
import typer

from services.cli.reading import Snapshot, exact_values, open_snapshot
from services.cli.reconcile_findings import (
    Check,
    ControlDifference,
    Difference,
    Forgotten,
    LedgerCount,
    PartitionState,
    RepeatedEvent,
    check_classes,
    check_ledger,
    check_log,
    check_repeated,
    count_in_flight,
    make_check,
)
from services.cli.reconcile_log import read_log_ends
from services.cli.render import Column, exact, figure, print_table, to_json
from shared.postgres.queries import load_queries
from shared.settings import KafkaSettings, PostgresSettings, load_settings

_SQL: Final = load_queries("services.cli", "sql/reconcile.sql")
SHOWN_MAX: Final = 20
EXIT_DIFFERS: Final = 1


@dataclass(frozen=True, slots=True)
class Recount:
    """What Postgres says, of one snapshot."""

    partitions: tuple[PartitionState, ...]
    ledger: tuple[LedgerCount, ...]
    checks: tuple[Check, ...]
    controls: tuple[ControlDifference, ...]
    controls_differing: int
    controls_compared: int
    forgotten: Forgotten


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Everything that was compared.

    Attributes:
        recount: What Postgres says.
        log_ends: Offset behind the last record, by partition.
        in_flight: Records not yet applied, by partition.
        checks: Every comparison.
    """

    recount: Recount
    log_ends: Mapping[int, int]
    in_flight: Mapping[int, int]
    checks: tuple[Check, ...]

    @property
    def is_equal(self) -> bool:
        """Whether all that must be equal is."""
        return all(check.is_equal for check in self.checks)


def reconcile(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=1, max=3600, help="Longest recount."),
    ] = 600,
) -> None:
    """Recount the ledger and compare it with the totals and the log.

    Reads UPTAKE_POSTGRES_DSN and UPTAKE_KAFKA_BOOTSTRAP_SERVERS. Exit status: 0 if
    everything is equal, 1 with what differs. Controls of agencies are shown beside
    the counts and do not decide it: they are the agencies' figures.
    """
    kafka = load_settings(KafkaSettings)
    postgres = load_settings(PostgresSettings).model_copy(
        update={"postgres_statement_timeout_seconds": timeout}
    )
    result = asyncio.run(reconcile_all(kafka, postgres))
    if as_json:
        print(to_json(_as_json(result)), end="")
    else:
        _print(result)
    raise typer.Exit(0 if result.is_equal else EXIT_DIFFERS)


async def reconcile_all(
    kafka: KafkaSettings, postgres: PostgresSettings
) -> Reconciliation:
    """Compare Postgres, recounted in one snapshot, with the log.

    The log is read after the snapshot, so it can only have more records.

    Raises:
        TransientError: Kafka or Postgres is away.
        FatalError: Views or topic are missing, or the recount took too long.
    """
    async with open_snapshot(postgres) as snapshot:
        recount = await _recount(snapshot)
    states = recount.partitions
    ends = await read_log_ends(
        kafka, {state.partition: state.next_offset for state in states}
    )
    checks = (
        check_classes(states),
        check_log(states, ends),
        check_ledger(states, recount.ledger),
        *recount.checks,
    )
    return Reconciliation(recount, ends, count_in_flight(states, ends), checks)


async def _recount(snapshot: Snapshot) -> Recount:
    partitions = await snapshot.fetch(_SQL["read_progress"])
    ledger = await snapshot.fetch(_SQL["count_ledger"])
    whole = await snapshot.fetchrow(_SQL["read_first_whole_day"])
    first_day = None if whole is None else whole["first_whole_day"]
    daily = await snapshot.fetch(_SQL["compare_daily_totals"], SHOWN_MAX, first_day)
    carried = await snapshot.fetch(_SQL["compare_carried"], SHOWN_MAX)
    sums = await snapshot.fetch(_SQL["compare_sums"], SHOWN_MAX)
    nation = await snapshot.fetch(_SQL["compare_nation"])
    controls = await snapshot.fetch(_SQL["read_controls"], SHOWN_MAX)
    checked = await snapshot.fetchrow(_SQL["count_checked"], first_day)
    assert checked is not None, "a query without FROM has one row"
    # Last, because nothing after it would use an index.
    await snapshot.execute(_SQL["distrust_indexes"])
    repeated = await snapshot.fetch(_SQL["find_repeated"], SHOWN_MAX)
    return Recount(
        partitions=tuple(PartitionState(**row) for row in partitions),
        ledger=tuple(LedgerCount(**row) for row in ledger),
        checks=(
            make_check(
                f"{checked['daily_totals']:,} daily totals"
                + (f" from {first_day} on" if first_day else "")
                + " = sums of the ledger",
                [
                    one
                    for row in daily
                    for one in _differences(row, "kept", "recounted")
                ],
                daily[0]["differing"] if daily else 0,
            ),
            make_check(
                "levels carried forward = daily totals and statements up to then",
                [
                    one
                    for row in carried
                    for one in _differences(row, "carried", "summed")
                ],
                carried[0]["differing"] if carried else 0,
            ),
            make_check(
                "nation = unallocated + provinces, province = unallocated + communes",
                [one for row in sums for one in _differences(row, "own", "under")],
            ),
            make_check(
                "nation = all leaves",
                [one for row in nation for one in _differences(row, "own", "under")],
            ),
            check_repeated(
                [RepeatedEvent(*tuple(row)[:-1]) for row in repeated],
                repeated[0]["differing"] if repeated else 0,
            ),
        ),
        controls=tuple(map(_control_difference, controls)),
        controls_differing=controls[0]["differing"] if controls else 0,
        controls_compared=checked["controls"],
        forgotten=Forgotten(
            checked["rows_dropped"], first_day, checked["older_totals"]
        ),
    )


def _control_difference(row: asyncpg.Record) -> ControlDifference:
    values = exact_values(row)
    values.pop("differing")
    return ControlDifference(**values)


def _differences(row: asyncpg.Record, kept: str, recounted: str) -> list[Difference]:
    """Name what differs in a row: count, amount or both."""
    names = ("indicator", "agency", "locality", "valid_from", "day")
    key = " ".join(str(row[name]) for name in names if name in row)
    return [
        Difference(
            f"{key} {figure_name}",
            exact(row[f"{kept}_{figure_name}"]),
            exact(row[f"{recounted}_{figure_name}"]),
        )
        for figure_name in ("count", "amount")
        if row[f"{kept}_{figure_name}"] != row[f"{recounted}_{figure_name}"]
    ]


def _as_json(result: Reconciliation) -> dict[str, Any]:
    recount = result.recount
    return {
        "equal": result.is_equal,
        "checks": [
            {"check": check.name, "equal": check.is_equal, "differing": check.differing}
            | ({"differences": check.differences} if check.differences else {})
            for check in result.checks
        ],
        "partitions": recount.partitions,
        "ledger_rows_dropped": recount.forgotten.rows,
        "first_whole_day": recount.forgotten.first_whole_day,
        "daily_totals_not_compared": recount.forgotten.older_totals,
        "log_ends": result.log_ends,
        "in_flight": result.in_flight,
        "controls": {
            "compared": recount.controls_compared,
            "differing": recount.controls_differing,
            "differences": recount.controls,
        },
    }


def _print(result: Reconciliation) -> None:
    recount = result.recount
    names = ("applied", "counted", "duplicates", "reversed", "rejected")
    rows: list[Sequence[str]] = []
    states = {state.partition: state for state in recount.partitions}
    for partition in sorted({*states, *result.log_ends}):
        state = states.get(partition)
        figures = [getattr(state, name) if state else 0 for name in names]
        flying = figure(result.in_flight.get(partition))
        rows.append([str(partition), *map(figure, figures), flying])
    sums = [sum(getattr(state, name) for state in states.values()) for name in names]
    rows.append(["all", *map(figure, sums), figure(sum(result.in_flight.values()))])
    titles = ["partition", *names, "in flight"]
    print_table([Column(title, is_figure=True) for title in titles], rows)
    for check in result.checks:
        print(f"  {'equal' if check.is_equal else 'DIFFER':<7} {check.name}")
        for one in check.differences:
            print(f"          {one.line()}")
        if check.differing > len(check.differences):
            print(f"          {check.differing:,} in all")
        if not check.is_equal:
            for line in check.advice:
                print(f"          {line}")
    if (forgotten := recount.forgotten.line()) is not None:
        print(f"  {forgotten}")
    _print_controls(recount)


def _print_controls(recount: Recount) -> None:
    print(
        f"  controls of agencies: {recount.controls_compared:,} compared, "
        f"{recount.controls_differing:,} of them not as counted"
    )
    if recount.controls:
        columns = (
            Column("agency"),
            Column("indicator"),
            Column("day"),
            Column("claimed", is_figure=True),
            Column("counted", is_figure=True),
            Column("difference", is_figure=True),
        )
        rows = [
            (
                row.agency,
                row.indicator,
                str(row.day),
                figure(row.claimed),
                figure(row.counted),
                figure(row.difference),
            )
            for row in recount.controls
        ]
        print_table(columns, rows)
