"""Short runs of the fault harness, on either broker; `make chaos` runs long ones."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 420
# Seeds whose plans hold many kinds of faults in little time.
EMBEDDED_SEED = 1769
APACHE_SEED = 1207
pytestmark = pytest.mark.timeout(SECONDS_MAX + 30)


async def run_harness(folder: Path, *, seconds: int, seed: int, broker: str) -> str:
    """Run the harness in a process of its own; return what it printed.

    It may enter a mount namespace, which is not for the tests beside it.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.faults.chaos",
        f"--seconds={seconds}",
        f"--seed={seed}",
        f"--broker={broker}",
        f"--folder={folder}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env=dict(os.environ),
    )
    try:
        async with asyncio.timeout(SECONDS_MAX):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    said = out.decode()
    assert process.returncode == 0, said
    return said


@pytest.mark.embedded
async def test_half_a_minute_of_faults_keeps_every_promise(tmp_path: Path) -> None:
    """Services, Postgres and the network fail; nothing is lost or counted twice."""
    said = await run_harness(
        tmp_path / "chaos", seconds=30, seed=EMBEDDED_SEED, broker="embedded"
    )
    assert said.splitlines()[-1].startswith("exact: ")


@pytest.mark.kafka
async def test_a_minute_of_faults_on_apache_kafka_keeps_every_promise(
    tmp_path: Path,
) -> None:
    """As above, and Kafka itself is stopped and killed."""
    said = await run_harness(
        tmp_path / "chaos", seconds=60, seed=APACHE_SEED, broker="apache"
    )
    assert "kill kafka" in said
    assert said.splitlines()[-1].startswith("exact: ")
