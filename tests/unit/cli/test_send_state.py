"""What was sent is noted beside the file, and survives whatever ends the command."""

import sqlite3
from pathlib import Path

import pytest

from services.cli.send_files import FileProblemError
from services.cli.send_state import (
    PAGE_ROWS,
    Fate,
    Phase,
    SentEvent,
    has_state,
    open_state,
    state_path,
)

URL = "http://127.0.0.1:8080"
TIME = "2026-11-03T05:00:00.000000Z"


def event(number: int, source: str = "/a") -> SentEvent:
    """Make an event whose id stands in the file."""
    return SentEvent(source, f"id-{number}", TIME)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a file; whether it is there does not matter."""
    return tmp_path / "sales.csv"


def test_what_was_begun_or_accepted_is_to_be_undone(path: Path) -> None:
    """Refused events are not, reversals are not, and nothing twice."""
    with open_state(path, URL) as state:
        state.begin([event(number) for number in range(4)])
        state.begin([SentEvent("/a", "reversal", TIME, reverses=True)])
        state.settle([event(0), event(1)], Fate.ACCEPTED)
        state.settle([event(2)], Fate.REFUSED)
    with open_state(path, URL) as state:
        left = list(state.to_undo())
        assert {one.id for one in left} == {"id-0", "id-1", "id-3"}
        assert {one.time for one in left} == {TIME}
        state.mark_undone(left[:2])
        assert list(state.to_undo()) == left[2:]
        assert state.is_undone("/a", left[0].id)
        assert not state.is_undone("/a", left[2].id)


def test_many_events_are_undone_page_by_page_while_they_are_marked(path: Path) -> None:
    """No more than a page is in memory, and marking skips none."""
    count = PAGE_ROWS * 2 + 10
    with open_state(path, URL) as state:
        state.begin([event(number) for number in range(count)])
        seen: list[SentEvent] = []
        for one in state.to_undo():
            seen.append(one)
            if len(seen) % 100 == 0:
                state.mark_undone(seen[-100:])
        state.mark_undone(seen)
        assert len(set(seen)) == len(seen) == count
        assert state.count(Fate.UNDONE) == count


@pytest.mark.parametrize(
    "id_",
    [
        "row1-dc3cbe24fb5593d86fec5af8df5375f7d087e3ec",
        "row1-DC3CBE24FB5593D86FEC5AF8DF5375F7D087E3EC",
        "row1-dc3c be24fb5593d86fec5af8df5375f7d087e3ec",
        "row1-",
        "row1-dc3c",
        "0012",
        "12",
        "Số 1 🙂",
    ],
)
def test_ids_come_back_as_they_were(path: Path, id_: str) -> None:
    """However short they are kept; 0012 is not 12."""
    with open_state(path, URL) as state:
        state.begin([SentEvent("/a", id_, TIME)])
    with open_state(path, URL) as state:
        assert [one.id for one in state.to_undo()] == [id_]
        assert state.fate_of("/a", id_) is Fate.BEGUN


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("2026-11-03T12:00:00+07:00", TIME),
        ("2026-11-03T05:00:00.123456Z", "2026-11-03T05:00:00.123456Z"),
        ("2026-11-03T05:00:00", "2026-11-03T05:00:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_instants_are_kept_exactly(path: Path, told: str, kept: str) -> None:
    """The same instant, in one spelling; what is none stays as it is."""
    with open_state(path, URL) as state:
        state.begin([SentEvent("/a", "1", told)])
        assert [one.time for one in state.to_undo()] == [kept]


def test_accepted_event_stays_accepted(path: Path) -> None:
    """It is in the log, though a copy of it be refused or never answered."""
    with open_state(path, URL) as state:
        state.begin([event(1)])
        state.settle([event(1)], Fate.ACCEPTED)
        state.begin([event(1)])
        assert state.fate_of("/a", "id-1") is Fate.ACCEPTED
        state.settle([event(1)], Fate.REFUSED)
        assert state.fate_of("/a", "id-1") is Fate.ACCEPTED


def test_undone_event_stays_undone(path: Path) -> None:
    """Its id counts no more, whatever is sent under it."""
    with open_state(path, URL) as state:
        state.begin([event(1)])
        state.mark_undone([event(1)])
        state.begin([event(1)])
        state.settle([event(1)], Fate.ACCEPTED)
        assert state.fate_of("/a", "id-1") is Fate.UNDONE


def test_only_what_was_accepted_in_this_sending_is_settled(path: Path) -> None:
    """A file that is sent anew is sent whole, and an interruption of that goes on."""
    with open_state(path, URL) as state:
        state.enter(Phase.SENDING, is_new=True)
        state.begin([event(1), event(2)])
        state.settle([event(1), event(2)], Fate.ACCEPTED)
        state.enter(Phase.SENT)
        state.enter(Phase.SENDING, is_new=True)
        state.begin([event(1)])
        state.settle([event(1)], Fate.ACCEPTED)
        state.begin([event(2)])
    with open_state(path, URL) as state:
        assert state.phase is Phase.SENDING
        assert state.is_settled_in_this_run("/a", "id-1")
        assert not state.is_settled_in_this_run("/a", "id-2")
        assert not state.is_settled_in_this_run("/b", "id-1")


def test_what_was_sent_elsewhere_is_another_matter(path: Path) -> None:
    """A test system's notes undo nothing in production."""
    with open_state(path, URL) as state:
        state.begin([event(1)])
    with open_state(path, "https://elsewhere") as state:
        assert list(state.to_undo()) == []
    with open_state(path, f"{URL}/") as state:
        assert len(list(state.to_undo())) == 1


def test_note_of_nothing_is_not_kept(path: Path) -> None:
    """A dry run leaves no file behind."""
    with open_state(path, URL):
        assert has_state(path)
    assert not has_state(path)


def test_two_commands_never_send_one_file_at_a_time(path: Path) -> None:
    """The second says so in a line."""
    with (
        open_state(path, URL),
        pytest.raises(FileProblemError, match="another `uptake send` has this file"),
        open_state(path, URL),
    ):
        pass


def test_what_is_not_ours_is_left_alone(path: Path) -> None:
    """Another program's database, and another version's."""
    state_path(path).write_bytes(b"text" * 500)
    with (
        pytest.raises(FileProblemError, match="cannot be noted"),
        open_state(path, URL),
    ):
        pass
    state_path(path).unlink()
    database = sqlite3.connect(state_path(path))
    database.execute("CREATE TABLE other (x)")
    database.close()
    with pytest.raises(FileProblemError, match="not a note"), open_state(path, URL):
        pass


def test_folder_that_cannot_be_written_is_a_problem(path: Path) -> None:
    """Nothing is sent that could not be undone."""
    with (
        pytest.raises(FileProblemError, match="copy the file to a folder of yours"),
        open_state(path.parent / "none" / "sales.csv", URL),
    ):
        pass


def test_file_that_was_written_is_known_until_somebody_edits_it(path: Path) -> None:
    """By its size and its time."""
    refused = path.with_name("sales.refused.csv")
    refused.write_text("a", encoding="utf-8")
    with open_state(path, URL) as state:
        assert not state.is_as_written(refused)
        state.note_written(refused)
        assert state.is_as_written(refused)
        refused.write_text("ab", encoding="utf-8")
        assert not state.is_as_written(refused)
        refused.unlink()
        assert not state.is_as_written(refused)
