"""The scripted year through the real service; `make scripted-year` prints its table."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DAYS = int(os.environ.get("UPTAKE_TEST_YEAR_DAYS", "60"))
"""Of the year's days: with a lag, kills and Alertmanager away, in under a minute."""
SECONDS_MAX = 1_800
pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded,
    pytest.mark.timeout(SECONDS_MAX + 30),
]


async def test_days_of_the_year_are_told_right_whatever_is_killed(
    tmp_path: Path,
) -> None:
    """Each transition of the truth at its minute and once; the whole year by make."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.year"),
        *(f"--days={DAYS}", f"--folder={tmp_path / 'year'}"),
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
    assert "duplicates 0, kills " in said
    assert "kills 0, " not in said
