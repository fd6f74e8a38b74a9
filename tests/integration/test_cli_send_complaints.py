"""What people complain of in other doors and imports does not happen here.

PEERS, part (c), as far as it is about imports and senders; complaint 2 (counts lost by
kill -9) and 6 (no way to take back what was sent) are in `test_cli_send_again`.
"""

from pathlib import Path

import pytest

from services.cli.send_state import Fate, open_state
from tests.support.clerk import HEADER, WORDS, Clerk, counts, unknown_places
from tests.support.counting_door import counting_door

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(120)]


async def test_retry_of_what_was_taken_is_neither_lost_nor_told_as_refused(
    tmp_path: Path,
) -> None:
    """Complaint 1: a retry counts zero (openmeter 5118) or gets 422 (lago-api 3049).

    The door takes a batch and hangs up; the command sends it again by itself, and the
    clerk reads that all was accepted.
    """
    async with counting_door() as door:
        door.silent_batches = frozenset({1, 3})
        clerk = Clerk(tmp_path, door)
        clerk.write(HEADER + "15961,2026-11-03,1\n" * 3_000)
        ran = await clerk.send("sales.csv", *WORDS)
        assert ran.status == 0, ran
        assert "3,000 accepted, 0 refused" in ran.out
        assert "lost" in ran.errors
        assert counts(door) == {("15961", 1): 3_000}
        assert set(door.accepted.values()) == {1, 2}


async def test_nothing_is_noted_as_accepted_before_it_is(tmp_path: Path) -> None:
    """Complaint 3: 204 before the broker has it (PostHog 10941, raccoon 38).

    What was never confirmed is sent by the next run, and is undone if it is undone.
    """
    async with counting_door() as door:
        door.away_until_batch = 1_000_000
        clerk = Clerk(tmp_path, door)
        path = clerk.write(HEADER + "15961,2026-11-03,1\n" * 10)
        ran = await clerk.send("sales.csv", *WORDS, "--give-up-after", "0.2")
        assert ran.status == 2, ran
        assert "gave up" in ran.errors
        with open_state(path, door.url) as state:
            assert state.count(Fate.ACCEPTED) == 0
            assert state.count(Fate.BEGUN) == 10
        door.away_until_batch = 0
        ran = await clerk.send("sales.csv", *WORDS)
        assert "10 accepted, 0 refused" in ran.out
        assert counts(door) == {("15961", 1): 10}


@pytest.mark.parametrize("place", [1, 500, 1_000])
async def test_one_bad_row_neither_poisons_nor_doubles_the_others(
    tmp_path: Path, place: int
) -> None:
    """Complaint 4: one bad row spoils a batch, or loads it twice (snowplow 2438)."""
    rows = ["15961,2026-11-03,1"] * 1_000
    rows[place - 1] = "95961,2026-11-03,1"
    async with counting_door(unknown_places) as door:
        clerk = Clerk(tmp_path, door)
        clerk.write(HEADER + "\n".join(rows))
        for _ in range(2):
            ran = await clerk.send("sales.csv", *WORDS)
            assert ran.status == 1, ran
            assert "999 accepted, 1 refused" in ran.out
        assert [row[0] for row in clerk.refused()[1:]] == [str(place + 1)]
        assert counts(door) == {("15961", 1): 999}


async def test_outage_lists_no_row_as_refused(tmp_path: Path) -> None:
    """Complaint 5: a short outage fills the dead letters (langfuse 13468).

    503 is about the door and not about a row: it is waited out, and told.
    """
    async with counting_door() as door:
        door.away_until_batch = 6
        clerk = Clerk(tmp_path, door)
        clerk.write(HEADER + "15961,2026-11-03,1\n" * 10)
        ran = await clerk.send("sales.csv", *WORDS)
        assert ran.status == 0, ran
        assert "waiting: ingest answers 503 Not confirmed" in ran.errors
        assert not (tmp_path / "sales.refused.csv").exists()
        assert counts(door) == {("15961", 1): 10}
