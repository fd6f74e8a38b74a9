"""`uptake up`: the whole system on one machine, and commands that find it."""

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import asyncpg
import pytest

from services.cli.local_stack import DATA_ROOT
from tests.support.catalogues import ALWAYS, KEYS, copy_catalogue
from tests.support.long_command import ROOT, LongCommand, all_gone
from tests.support.stack import eventually

pytestmark = [pytest.mark.timeout(180), pytest.mark.embedded]
RUNNING = "Ctrl-C stops everything"


async def _run(folder: Path, *words: str) -> tuple[int, str]:
    """Run a short command in a folder, without any setting."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("UPTAKE_")},
            "PYTHONPATH": str(ROOT),
        },
        cwd=folder,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


def _up(tmp_path: Path, **environment: str) -> LongCommand:
    """Describe `uptake up` with agencies whose keys are known."""
    catalogue = copy_catalogue(tmp_path / "catalogue")
    return LongCommand(
        tmp_path,
        "up",
        "--catalogue",
        str(catalogue),
        data=DATA_ROOT / "up",
        environment=environment,
    )


def _write_keys(folder: Path) -> Path:
    path = folder / "keys.json"
    keys = {agency: KEYS[agency] for agency in ALWAYS}
    path.write_text(json.dumps(keys), encoding="utf-8")
    return path


def _truth(path: Path) -> dict[tuple[str, str], tuple[int, int]]:
    """Read what a simulation said would be found."""
    said = json.loads(path.read_text(encoding="utf-8"))
    return {
        (row["agency"], row["indicator"]): (row["count"], row["amount"])
        for row in said["totals"]
    }


async def _counted(dsn: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Sum what is counted, by agency and indicator."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT agency, indicator, sum(count)::bigint AS count, "
            "sum(amount)::bigint AS amount FROM reporting.daily_total "
            "GROUP BY agency, indicator"
        )
    finally:
        await connection.close()
    return {(r["agency"], r["indicator"]): (r["count"], r["amount"]) for r in rows}


async def test_a_simulation_beside_a_running_stack_is_counted_to_the_unit(
    tmp_path: Path,
) -> None:
    """Commands in the same folder find the stack; the truth is what is counted."""
    keys, truth_path = _write_keys(tmp_path), tmp_path / "truth.json"
    with _up(tmp_path) as up:
        await up.until_said(RUNNING, seconds=90)
        status, out = await _run(
            tmp_path,
            *("simulate", "--rate", "4000", "--duration", "1", "--seed", "7"),
            *("--keys", str(keys), "--truth", str(truth_path)),
            *("--reversals", "0.05", "--duplicates", "0.1"),
        )
        assert status == 0, out
        expected, dsn = _truth(truth_path), up.environment["UPTAKE_POSTGRES_DSN"]
        assert len(expected) > 20

        async def is_counted() -> bool:
            return await _counted(dsn) == expected

        await eventually(is_counted, what="the truth is counted")
        status, out = await _run(tmp_path, "totals")
        assert status == 0, out
        assert "cashless_accounts" in out
        status, out = await _run(tmp_path, "event", "/test/bank", "never-sent")
        assert (status, "not_seen" in out) == (0, True), out
        assert up.environment["UPTAKE_BOARD_URL"].startswith("http://127.0.0.1:")
        processes = up.processes()
        up.send(signal.SIGTERM)
        assert await up.status() == 0, up.out
        assert await all_gone(processes)
        assert up.out.rstrip().endswith("stopped")


async def test_killing_the_database_ends_the_stack_and_says_why(
    tmp_path: Path,
) -> None:
    """Embedded servers live and die together: one line, status 1, no process."""
    with _up(tmp_path) as up:
        await up.until_said(RUNNING, seconds=90)
        processes = up.processes()
        killed = up.service_pid("postgres")
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        assert await up.status() == 1, up.out
        assert "uptake: the embedded postgres ended" in up.out
        assert "Traceback" not in up.out
        assert await all_gone(processes)


async def test_a_service_that_cannot_start_ends_the_stack_with_its_reason(
    tmp_path: Path,
) -> None:
    """A bad setting is not tried again and again."""
    with _up(tmp_path, UPTAKE_LOG_LEVEL="LOUD") as up:
        processes = up.processes()
        assert await up.status(seconds=90) == 1, up.out
        assert "ended with status 2 and is given up" in up.out
        assert "UPTAKE_LOG_LEVEL" in up.out
        assert await all_gone(processes)


async def test_a_port_in_use_is_named_with_what_to_set(tmp_path: Path) -> None:
    """Before anything is started."""
    up = _up(tmp_path)
    with socket.create_server(("127.0.0.1", up.port + 1)), up:
        assert await up.status(seconds=30) == 1
        assert f"port {up.port + 1} on 127.0.0.1, which aggregation needs" in up.out
        assert "set UPTAKE_HTTP_PORT to the first of four free ports" in up.out


async def test_one_given_server_without_the_other_is_refused(tmp_path: Path) -> None:
    """A database that outlives its log would contradict it."""
    given = {"UPTAKE_POSTGRES_DSN": "postgresql://nobody@127.0.0.1:1/uptake"}
    with _up(tmp_path, **given) as up:
        assert await up.status(seconds=30) == 1
        assert "UPTAKE_KAFKA_BOOTSTRAP_SERVERS is missing" in up.out
        assert len(up.out.splitlines()) == 1


async def test_two_stacks_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second says who holds it."""
    with _up(tmp_path) as up:
        await up.until_said("uptake up", seconds=30)
        await up.until((up.data / "lock").exists, seconds=30)
        status, out = await _run(tmp_path, "up", "--data", str(up.data))
        assert status == 1
        assert "already runs one in" in out
