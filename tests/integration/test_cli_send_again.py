"""Interrupted, killed, undone, corrected and sent again: every row counts once."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.clerk import HEADER, WORDS, Clerk, counts, unknown_places
from tests.support.counting_door import Event, counting_door

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(180)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
async def test_sending_that_is_ended_again_and_again_is_exact(
    tmp_path: Path, number: signal.Signals
) -> None:
    """299,356 of 300,000 after kill -9 (Faust 340): here all, and each under one id.

    The door ends the command after it accepted a batch and before it answers, which is
    the worst moment: the row is in the log, and the sender does not know.
    """
    async with counting_door() as door:
        clerk = Clerk(tmp_path, door)
        clerk.write(HEADER + "15961,2026-11-03,1\n" * 16_000)
        children: list[asyncio.subprocess.Process] = []

        async def end(batch: int) -> None:
            if batch in {6, 12, 18}:
                children[-1].send_signal(number)
                await children[-1].wait()

        door.on_batch = end
        statuses: list[int] = []
        said = b""
        while not statuses or statuses[-1] != 0:
            children.append(await clerk.begin("sales.csv", *WORDS))
            said, errors = await children[-1].communicate()
            assert children[-1].returncode is not None
            statuses.append(children[-1].returncode)
            assert len(statuses) < 6, (said, errors)
        assert len(statuses) == 4, statuses
        assert "was interrupted; going on with the rest" in said.decode()
        assert counts(door) == {("15961", 1): 16_000}
        # Only what was under way when it ended may have come twice.
        assert sum(door.accepted.values()) - 16_000 <= 3 * 4 * 1_000


async def test_file_sent_again_after_its_end_is_sent_whole(tmp_path: Path) -> None:
    """Sorted, annotated, with other delimiters: the same ids, on whatever server."""
    rows = [f"159{number:02},2026-11-03,{number % 3 + 1}" for number in range(61, 90)]
    async with counting_door() as door:
        clerk = Clerk(tmp_path, door)
        clerk.write(HEADER + "\n".join(rows + rows))
        assert (await clerk.send("sales.csv", *WORDS)).status == 0
        first = set(door.accepted)
        turned = [
            f"x;2026-11-03 12:00;{row.split(',')[2]};{row.split(',')[0]}"
            for row in reversed(rows + rows)
        ]
        clerk.write("note;time;count;locality\r\n" + "\r\n".join(turned))
        ran = await clerk.send("sales.csv", *WORDS)
        assert "58 accepted, 0 refused" in ran.out
        assert ran.out.splitlines()[-1] == (
            "nobody was asked what was counted: no --board URL, no UPTAKE_BOARD_URL"
        )
        assert set(door.accepted) == first
        assert set(door.accepted.values()) == {2}


async def test_undo_takes_back_what_was_sent_and_twice_changes_nothing(
    tmp_path: Path,
) -> None:
    """Although the file is another by now; and sent again afterwards, it counts."""
    async with counting_door() as door:
        clerk = Clerk(tmp_path, door)
        path = clerk.write(HEADER + "15961,2026-11-03,1\n" * 3 + "15962,2026-11-03,2\n")
        await clerk.send("sales.csv", *WORDS)
        path.unlink()
        told = await clerk.send("sales.csv", "--undo", "--dry-run")
        assert "4 events would be undone (dry run)" in told.out
        assert len(door.standing()) == 4
        undone = await clerk.send("sales.csv", "--undo")
        assert (undone.status, undone.out) == (0, "sales.csv: 4 events undone\n")
        assert door.standing() == []
        sent = sum(door.accepted.values())
        again = await clerk.send("sales.csv", "--undo")
        assert (again.status, again.out) == (
            0,
            "sales.csv: undone already, 4 events; nothing sent\n",
        )
        assert sum(door.accepted.values()) == sent
        for _ in range(2):
            clerk.write(HEADER + "15961,2026-11-03,1\n" * 3)
            assert (await clerk.send("sales.csv", *WORDS)).status == 0
            assert counts(door) == {("15961", 1): 3}
        await clerk.send("sales.csv", "--undo")
        assert door.standing() == []


async def test_undo_of_a_file_sent_only_partly_takes_back_that_part(
    tmp_path: Path,
) -> None:
    """Also what nobody knows to have arrived; an undo that is killed goes on."""
    async with counting_door() as door:
        clerk = Clerk(tmp_path, door)
        clerk.write(HEADER + "15961,2026-11-03,1\n" * 9_000)
        children: list[asyncio.subprocess.Process] = []

        async def kill(batch: int) -> None:
            if batch in {3, 8}:
                children[-1].kill()
                await children[-1].wait()

        door.on_batch = kill
        for words in (WORDS, ("--undo",), ("--undo",)):
            children.append(await clerk.begin("sales.csv", *words))
            await children[-1].wait()
            if words is WORDS:
                assert door.standing() != []
                assert len(door.standing()) < 9_000
            elif len(children) == 2:
                refused = await clerk.send("sales.csv", *WORDS)
                assert refused.status == 2
                assert "finish that first by --undo" in refused.errors
        assert [child.returncode for child in children] == [-9, -9, 0]
        assert door.standing() == []
        assert (await clerk.send("sales.csv", *WORDS)).status == 0
        assert counts(door) == {("15961", 1): 9_000}


async def test_undo_of_nothing_and_refused_reversals_are_told(tmp_path: Path) -> None:
    """A closed day keeps its events; the file says which."""

    def closed(event: Event) -> str | None:
        is_reversal = event["type"] == "uptake.event.reversed"
        return "too_late" if is_reversal and event["time"] < "2026-11" else None

    async with counting_door(closed) as door:
        clerk = Clerk(tmp_path, door)
        clerk.write(HEADER + "15961,2026-10-03,1\n15961,2026-11-03,2\n")
        nothing = await clerk.send("sales.csv", "--undo")
        assert nothing.status == 2
        assert "nothing is known to have been sent" in nothing.errors
        await clerk.send("sales.csv", *WORDS)
        ran = await clerk.send("sales.csv", "--undo")
        assert ran.status == 1
        assert "1 event undone" in ran.out
        assert "1 could not be undone -> sales.not-undone.csv" in ran.out
        assert counts(door) == {("15961", 1): 1}
        # What is still counted keeps its id, so it does not count twice.
        await clerk.send("sales.csv", *WORDS)
        assert counts(door) == {("15961", 1): 1, ("15961", 2): 1}


async def test_own_id_that_was_undone_is_refused_rather_than_lost(
    tmp_path: Path,
) -> None:
    """Sent again it would be a duplicate of a voided event: accepted, and nothing."""
    async with counting_door() as door:
        clerk = Clerk(tmp_path, door)
        clerk.write("id,locality,time\nA,15961,2026-11-03\n")
        await clerk.send("sales.csv", *WORDS)
        await clerk.send("sales.csv", "--undo")
        clerk.write("id,locality,time\nA,15961,2026-11-03\nB,15961,2026-11-03\n")
        ran = await clerk.send("sales.csv", *WORDS)
        assert ran.status == 1
        assert "this id was undone and counts no more" in ran.out
        assert [event["id"] for event in door.standing()] == ["B"]


async def test_refused_rows_are_corrected_and_sent_and_each_counts_once(
    tmp_path: Path,
) -> None:
    """A corrected row that now equals others counts beside them, and only once."""
    async with counting_door(unknown_places) as door:
        clerk = Clerk(tmp_path, door)
        text = (
            HEADER
            + "15961,2026-11-03,1\n" * 3
            + "95961,2026-11-03,1\n15961,2026-11-03,7.5\n"
        )
        clerk.write(text)
        ran = await clerk.send("sales.csv", *WORDS)
        assert "3 accepted, 2 refused -> sales.refused.csv" in ran.out
        header, place, number = clerk.refused()
        assert header[:4] == [
            "refused_row",
            "refused_code",
            "refused_detail",
            "refused_id",
        ]
        assert (place[0], place[1], place[4:]) == (
            "5",
            "unknown_locality",
            ["95961", "2026-11-03", "1"],
        )
        assert (number[0], number[4:]) == ("6", ["15961", "2026-11-03", "7.5"])
        refused = tmp_path / "sales.refused.csv"
        corrected = refused.read_text(encoding="utf-8-sig")
        corrected = corrected.replace("95961", "15961").replace("7.5", "7")
        clerk.write(corrected.replace(",", ";"), refused.name)
        for _ in range(2):
            assert (await clerk.send(refused.name, *WORDS)).status == 0
            assert counts(door) == {("15961", 1): 4, ("15961", 7): 1}
        ran = await clerk.send("sales.csv", *WORDS)
        assert "3 accepted, 0 refused" in ran.out
        assert "2 rows left out, which were sent corrected" in ran.out
        # Corrected in the original, too: it would count twice, so nothing is sent.
        clerk.write(text.replace("95961", "15961"))
        ran = await clerk.send("sales.csv", *WORDS)
        assert ran.status == 2
        assert "what is both would count twice" in " ".join(ran.errors.split())
        assert counts(door) == {("15961", 1): 4, ("15961", 7): 1}
        undone = await clerk.send(refused.name, "--undo")
        assert undone.status == 0
        clerk.write(text.replace("95961", "15961").replace("7.5", "7"))
        assert (await clerk.send("sales.csv", *WORDS)).status == 0
        assert counts(door) == {("15961", 1): 4, ("15961", 7): 1}


async def test_file_of_refused_rows_that_was_edited_is_never_written_over(
    tmp_path: Path,
) -> None:
    """It holds somebody's work; one that nobody touched is replaced, or goes."""
    async with counting_door(unknown_places) as door:
        clerk = Clerk(tmp_path, door)
        clerk.write(HEADER + "95961,2026-11-03,1\n")
        for words in ((*WORDS, "--dry-run"), WORDS, WORDS):
            ran = await clerk.send("sales.csv", *words)
            assert "-> sales.refused.csv" in ran.out
        clerk.write("edited", "sales.refused.csv")
        ran = await clerk.send("sales.csv", *WORDS)
        assert "-> sales.refused-2.csv" in ran.out
        assert clerk.refused() == [["edited"]]
        (tmp_path / "sales.refused.csv").unlink()
        await clerk.send("sales.csv", *WORDS)
        clerk.write(HEADER + "15961,2026-11-03,1\n")
        await clerk.send("sales.csv", *WORDS)
        assert not (tmp_path / "sales.refused.csv").exists()


async def test_refused_lines_of_ndjson_are_corrected_and_sent(tmp_path: Path) -> None:
    """Each line with what was wrong beside its own members, which are not sent."""
    async with counting_door(unknown_places) as door:
        clerk = Clerk(tmp_path, door)
        clerk.write(
            '{"locality": "95961", "time": "2026-11-03", "note": "ô"}\n{no json\n',
            "sales.ndjson",
        )
        await clerk.send("sales.ndjson", *WORDS)
        path = tmp_path / "sales.refused.ndjson"
        lines = path.read_text(encoding="utf-8").splitlines()
        assert '"refused_row": 1, "refused_code": "unknown_locality"' in lines[0]
        assert '"note": "ô"' in lines[0]
        assert '"refused_line": "{no json"' in lines[1]
        clerk.write(lines[0].replace("95961", "15961"), path.name)
        for _ in range(2):
            assert (await clerk.send(path.name, *WORDS)).status == 0
        assert counts(door) == {("15961", 1): 1}
