"""Who is let in, how keys come and go, and what is written about who is not."""

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.exposition import generate_latest

from services.board.guard import Guard, ReaderWatch
from services.cli.agency_file import make_key
from shared.catalogue.keys import Denied, KeyDenial
from shared.catalogue.load import load_catalogue
from shared.catalogue.model import Agency, AgencyKey
from shared.catalogue.watch import AgencyWatch
from shared.errors import CatalogueError
from shared.log import JsonFormatter
from shared.metrics import AgencyMetrics, BoardMetrics, ReaderMetrics, new_registry
from shared.readers import Reader, load_readers, render_readers
from tests.support.board_doors import (
    BANK,
    BANK_KEY,
    BANK_WITH_KEY,
    DASHBOARD,
    NOON,
    OTHER,
    READER_KEY,
    ZONE,
    Ask,
    ask,
    digest,
    make_board,
    open_board,
    with_keys,
)
from tests.support.catalogues import copy_catalogue
from tests.support.stack import eventually

READ = Ask("/v1/targets")
YESTERDAY = date(2026, 11, 20)
READER = Reader("dashboard", "Bảng điều khiển", (AgencyKey("key-1", digest("one")),))
Lines = pytest.LogCaptureFixture


def lines_of(caplog: Lines, event: str = "attempt_refused") -> list[dict[str, Any]]:
    """Return the log lines of an event, as they are written."""
    written = [
        json.loads(JsonFormatter("board").format(record)) for record in caplog.records
    ]
    return [line for line in written if line["event"] == event]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {BANK_KEY}", 200),
        (f"bearer   {READER_KEY} ", 200),
        (f"Bearer {BANK_KEY}x", 401),
        (f"Bearer {BANK_KEY[:-1]}", 401),
        (f"Basic {BANK_KEY}", 401),
        (BANK_KEY, 401),
        (f"Bearer {digest(BANK_KEY)}", 401),
        (f"Bearer {digest(READER_KEY)}", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("", 401),
        ("Bearer abc\xe9", 401),
        (f"Bearer {'x' * 300}", 401),
    ],
)
async def test_only_the_whole_key_is_valid(authorization: str, status: int) -> None:
    """Neither a part of it nor its hash, which lies in a file."""
    asked = replace(READ, key=None, headers=(("authorization", authorization),))
    assert (await ask(make_board(), asked)).status == status


@pytest.mark.parametrize("path", ["totals", "series", "targets", "alerts", "receipts"])
@pytest.mark.parametrize(
    ("key", "reason"), [(None, "no_key"), ("", "no_key"), ("wrong", "unknown_key")]
)
async def test_nothing_is_told_without_a_valid_key(
    path: str, key: str | None, reason: str, caplog: Lines
) -> None:
    """Not even whether the question was right; one line tells of it, not the key."""
    board = open_board(BANK_WITH_KEY)
    method = "POST" if path == "receipts" else "GET"
    with caplog.at_level(logging.WARNING):
        asked = Ask(f"/v1/{path}", query="x=y", method=method, key=key)
        told = await ask(board.app, asked)
    assert told.status == 401
    assert told.headers["www-authenticate"] == "Bearer"
    (line,) = lines_of(caplog)
    assert (line["status"], line["reason"]) == (401, reason)
    assert (line["client"], line["agency"]) == ("192.0.2.7", None)
    assert "wrong" not in caplog.text + json.dumps(line)
    metrics = generate_latest(board.registry).decode()
    assert f'uptake_requests_denied_total{{reason="{reason}"}} 1.0' in metrics
    assert board.store.asked == []


async def test_two_keys_in_one_request_are_none() -> None:
    """A proxy before the board might have judged the other one."""
    app = make_board()
    second = (("authorization", f"Bearer {READER_KEY}"),)
    assert (await ask(app, replace(READ, headers=second))).status == 401
    assert (await ask(app, replace(READ, key=None, headers=second))).status == 200


@pytest.mark.parametrize("path", ["/v1/targets", "/v1/receipts"])
async def test_expired_key_of_an_agency_reads_nothing(path: str, caplog: Lines) -> None:
    """From the day after its last one; the line names agency and key."""
    old = AgencyKey("old", digest("old"), last_day=YESTERDAY)
    new = AgencyKey("new", digest("new"), last_day=YESTERDAY + timedelta(days=1))
    app = open_board(with_keys(BANK, old, new)).app
    body = b'{"events": [{"source": "/vn/38/bank", "id": "e"}]}'
    method = "POST" if path == "/v1/receipts" else "GET"
    told = await ask(app, Ask(path, key="old", method=method, body=body))
    assert told.status == 401
    assert "expired" in told.json()["detail"]
    # The other one is valid through today, while they are changed over.
    assert (
        await ask(app, Ask(path, key="new", method=method, body=body))
    ).status == 200
    (line,) = lines_of(caplog)
    assert (line["reason"], line["agency"], line["key"]) == (
        "expired_key",
        "bank",
        "old",
    )


async def test_expired_key_of_a_reader_reads_nothing(caplog: Lines) -> None:
    """A reader's name is no agency's, though it may look the same."""
    board = open_board(BANK_WITH_KEY)
    key = AgencyKey("key-1", digest("old"), last_day=YESTERDAY)
    board.readers.take([Reader("bank", "B", (key,))])
    assert (await ask(board.app, replace(READ, key="old"))).status == 401
    (line,) = lines_of(caplog)
    assert (line["reader"], line["agency"]) == ("bank", None)
    assert (line["reason"], line["key"]) == ("expired_key", "key-1")


async def test_key_that_is_revoked_while_its_body_comes_reads_nothing() -> None:
    """A sender who trickles does not outlast the key."""
    board = open_board(BANK_WITH_KEY)
    body = b'{"events": [{"source": "/vn/38/bank", "id": "e"}]}'
    asked = Ask("/v1/receipts", method="POST", key=BANK_KEY)

    async def revoke_and_send() -> dict[str, object]:
        board.guard._agencies._take({"bank": BANK})
        return {"type": "http.request", "body": body, "more_body": False}

    assert (await ask(board.app, asked, receive=revoke_and_send)).status == 401


async def test_reader_that_is_taken_away_ends_with_the_next_request() -> None:
    """Keys are replaced as a whole."""
    board = open_board(BANK_WITH_KEY)
    assert (await ask(board.app, READ)).status == 200
    board.readers.take([])
    assert (await ask(board.app, READ)).status == 401


async def test_flood_of_bad_keys_fills_no_disk_and_hides_nobody(caplog: Lines) -> None:
    """So many lines and no more; agencies and readers have budgets of their own."""
    board = open_board(BANK_WITH_KEY, OTHER, audit_lines_per_minute=5)
    for number in range(50):
        await ask(board.app, replace(READ, key=f"guess-{number}"))
    assert len(lines_of(caplog)) == 5
    elsewhere = Ask("/v1/totals", query="locality=04", key=BANK_KEY)
    assert (await ask(board.app, elsewhere)).status == 403
    receipts = Ask("/v1/receipts", method="POST")
    assert (await ask(board.app, receipts)).status == 403
    *_, agency, reader = lines_of(caplog)
    assert (agency["agency"], agency["reader"]) == ("bank", None)
    assert (reader["agency"], reader["reader"]) == (None, "dashboard")
    board.guard.audit.say_suppressed()
    assert lines_of(caplog, "attempts_suppressed")[0]["count"] == 45
    assert "guess" not in caplog.text


async def test_who_asks_for_another_s_receipts_is_written_down(caplog: Lines) -> None:
    """Whose key, in whose name, how many; nothing of what was sent."""
    app = make_board()
    foreign = [{"source": "/vn/38/other/secret", "id": f"secret-{n}"} for n in range(3)]
    body = json.dumps({"events": [{"source": "/vn/38/bank", "id": "e"}, *foreign]})
    asked = Ask("/v1/receipts", method="POST", key=BANK_KEY, body=body.encode())
    assert (await ask(app, asked)).status == 403
    (line,) = lines_of(caplog)
    assert (line["status"], line["reason"]) == (403, "not_yours")
    assert (line["agency"], line["key"]) == ("bank", "key-1")
    assert line["claimed"] == ["other"]
    assert line["codes"] == {"source_not_yours": 3}
    assert "secret" not in caplog.text + json.dumps(line)


def test_readers_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Texts of any sort, no key, one, or two while rotating."""
    path = tmp_path / "readers.yaml"
    ending = replace(make_key("key-1").stored, last_day=YESTERDAY)
    readers = (
        READER,
        Reader("a-2", 'yes: "no" # 1', ()),
        Reader("b", "38", (ending, make_key("key-2").stored)),
    )
    for written in (readers, ()):
        path.write_text(render_readers(written), encoding="utf-8")
        assert load_readers(path) == written


@pytest.mark.parametrize(
    ("readers", "line"),
    [
        ((READER, READER), "'dashboard' is already in"),
        ((READER, Reader("b", "B", READER.keys)), "has the sha256 of"),
        ((Reader("B b", "B", ()),), "id"),
        ((Reader("b", "B", (*READER.keys,) * 3),), "keys"),
        ((Reader("b", "B", (AgencyKey("key-1", "secret"),)),), "sha256"),
        ((Reader("b", "B", (AgencyKey("key-1", digest("")),)),), "hash of no text"),
    ],
)
def test_a_wrong_file_of_readers_is_refused_by_line(
    readers: tuple[Reader, ...], line: str, tmp_path: Path
) -> None:
    """Nothing of it is used."""
    path = tmp_path / "readers.yaml"
    path.write_text(render_readers(readers), encoding="utf-8")
    with pytest.raises(CatalogueError) as refused:
        load_readers(path)
    assert any(line in problem for problem in refused.value.problems)


@pytest.mark.parametrize(
    "bound", ["indicators: [a]", "locality: '38'", "sources: [/a]"]
)
def test_reader_s_key_that_is_bound_is_refused(bound: str, tmp_path: Path) -> None:
    """What nobody keeps to must not be taken for kept to."""
    path = tmp_path / "readers.yaml"
    path.write_text(f"{render_readers([READER])}      {bound}\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=bound.partition(":")[0]):
        load_readers(path)


class Standing:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.instant


class Files:
    """The board's watches upon files, and what was said of them."""

    def __init__(self, folder: Path) -> None:
        self.catalogue = copy_catalogue(folder / "catalogue")
        self.path = folder / "readers.yaml"
        self.write()
        self.clock = Standing()
        self.registry = new_registry()
        self.agencies = AgencyWatch(
            self.catalogue,
            load_catalogue(self.catalogue),
            self.clock,
            metrics=AgencyMetrics(self.registry),
            poll_seconds=0.01,
        )
        self.readers = ReaderWatch(self.clock, zone=ZONE, agencies=self._known)
        self.readers.follow(
            self.path, metrics=ReaderMetrics(self.registry), poll_seconds=0.01
        )

    def _known(self) -> list[Agency]:
        return list(self.agencies.catalogue.agencies.values())

    def write(self, *readers: Reader) -> None:
        """Write the file of readers."""
        self.path.write_text(render_readers(readers), encoding="utf-8")

    async def look(self) -> None:
        """Look at all files once."""
        await self.agencies.look()
        await self.readers.look()

    def opens(self, key: str) -> bool:
        """Tell whether a reader's key is valid now."""
        return not isinstance(self.readers.find(key), Denied)

    def is_right(self) -> bool:
        """Tell what the metric says of the file of readers."""
        name = "uptake_readers_reload_successful"
        return self.registry.get_sample_value(name) == 1


async def test_readers_follow_their_file(tmp_path: Path, caplog: Lines) -> None:
    """A wrong file changes nothing and says so once; a mended one is taken over."""
    files = Files(tmp_path)
    caplog.set_level(logging.INFO)
    await files.look()
    assert not files.opens("one")
    files.write(READER)
    await files.look()
    assert files.opens("one")
    for broken in ("- id: 7\n", None):
        files.path.unlink() if broken is None else files.path.write_text(broken)
        await files.look()
        await files.look()
        assert files.opens("one")
        assert not files.is_right()
    assert len(lines_of(caplog, "readers_not_reloaded")) == 2
    files.write()
    await files.look()
    assert not files.opens("one")
    assert files.is_right()
    assert digest("one") not in caplog.text


async def test_reader_s_key_expires_by_the_clock_alone(tmp_path: Path) -> None:
    """At local midnight after its last day, though no file changes."""
    files = Files(tmp_path)
    today = NOON.date()
    files.write(replace(READER, keys=(replace(READER.keys[0], last_day=today),)))
    await files.look()
    files.clock.instant = datetime(2026, 11, 21, 16, 59, 59, tzinfo=UTC)
    assert files.opens("one")
    files.clock.instant = datetime(2026, 11, 21, 17, tzinfo=UTC)
    found = files.readers.find("one")
    assert isinstance(found, Denied)
    assert found.reason is KeyDenial.EXPIRED


async def test_reader_with_an_agency_s_key_is_refused(
    tmp_path: Path, caplog: Lines
) -> None:
    """A key that is revoked at the agency would go on reading, and more than before."""
    files = Files(tmp_path)
    bank = Reader("b", "B", (AgencyKey("key-1", digest("key-of-bank")),))
    files.write(bank)
    await files.look()
    assert not files.opens("key-of-bank")
    assert not files.is_right()
    (line,) = lines_of(caplog, "readers_not_reloaded")
    assert line["problems"] == [
        "reader b: has the key of agency bank; make a new key",
    ]
    with pytest.raises(CatalogueError, match="key of agency bank"):
        files.readers.follow(
            files.path, metrics=ReaderMetrics(new_registry()), poll_seconds=1
        )


async def test_agency_that_takes_a_reader_s_key_makes_the_file_wrong(
    tmp_path: Path,
) -> None:
    """Though the file of readers is what it was."""
    files = Files(tmp_path)
    files.write(READER)
    await files.look()
    assert files.is_right()
    path = files.catalogue / "agencies" / "bank.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(digest("key-of-bank"), digest("one")), "utf-8")
    await files.look()
    assert not files.is_right()


async def test_guard_follows_the_files_of_agencies_and_readers(tmp_path: Path) -> None:
    """A changed file takes effect while the board runs, and the guard ends with it."""
    files = Files(tmp_path)
    guard = Guard(
        files.agencies,
        files.readers,
        BoardMetrics(files.registry),
        audit_lines_per_minute=1,
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(guard.run())
        files.write(READER)
        (files.catalogue / "agencies" / "bank.yaml").unlink()

        async def has_followed() -> bool:
            return files.opens("one") and "bank" not in guard.catalogue.agencies

        await eventually(has_followed, what="both files are followed")
        assert files.agencies.find("key-of-bank") == Denied(KeyDenial.UNKNOWN)
        assert not isinstance(files.agencies.find("key-of-shop"), Denied)
        running.cancel()


def test_the_dashboard_of_these_tests_is_no_agency() -> None:
    """Or what is shown of readers here would be shown of agencies."""
    assert DASHBOARD.keys[0].sha256 not in {key.sha256 for key in BANK_WITH_KEY.keys}
