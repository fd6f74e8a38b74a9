"""Who may ask, and how keys come and go."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.board.core.callers import Caller, KeyRing, find_foreign
from services.board.ticker import KeyWatch, make_callers
from services.cli.agency_file import make_key
from shared.catalogue.model import AgencyKey
from shared.errors import CatalogueError
from shared.metrics import BoardMetrics
from shared.readers import Reader, load_readers, render_readers
from tests.support.board_doors import (
    BANK,
    BANK_KEY,
    READER_KEY,
    Ask,
    ask,
    digest,
    make_board,
)
from tests.support.catalogues import copy_catalogue
from tests.support.stack import eventually

DASHBOARD = Reader("dashboard", "Bảng điều khiển", (AgencyKey("key-1", digest("one")),))
READ = Ask("/v1/totals")


@pytest.mark.parametrize(
    ("authorization", "name"),
    [
        (f"Bearer {BANK_KEY}", "agency:bank"),
        (f"bearer   {READER_KEY} ", "reader:dashboard"),
        (f"Bearer {BANK_KEY}x", None),
        (f"Bearer {BANK_KEY[:-1]}", None),
        (f"Basic {BANK_KEY}", None),
        (BANK_KEY, None),
        (f"Bearer {digest(BANK_KEY)}", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("", None),
        ("Bearer \xff\xfe", None),
    ],
)
def test_only_the_whole_key_is_valid(authorization: str, name: str | None) -> None:
    """Neither a part of it nor its hash, which lies in a file."""
    keys = KeyRing(
        {
            digest(BANK_KEY): Caller(BANK, "agency:bank"),
            digest(READER_KEY): Caller(None, "reader:dashboard"),
        }
    )
    caller = keys.find(authorization)
    assert (caller.name if caller else None) == name


@pytest.mark.parametrize("path", ["totals", "series", "targets", "alerts", "receipts"])
@pytest.mark.parametrize("key", [None, "", "wrong"])
async def test_nothing_is_told_without_a_valid_key(
    path: str, key: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even whether the question was right; the log tells of it without the key."""
    app, _, registry = make_board()
    method = "POST" if path == "receipts" else "GET"
    with caplog.at_level(logging.WARNING):
        told = await ask(app, Ask(f"/v1/{path}", query="x=y", method=method, key=key))
    assert told.status == 401
    (record,) = (r for r in caplog.records if r.message == "request_denied")
    assert vars(record)["client"] == "192.0.2.7"
    assert "wrong" not in str(vars(record))
    assert registry.get_sample_value("uptake_requests_denied_total") == 1


async def test_two_keys_in_one_request_are_none() -> None:
    """A proxy before the board might have judged the other one."""
    app, _, _ = make_board()
    second = (("authorization", f"Bearer {READER_KEY}"),)
    assert (await ask(app, Ask("/v1/totals", headers=second))).status == 401
    only = Ask("/v1/totals", key=None, headers=second)
    assert (await ask(app, only)).status == 200


def test_an_agency_is_told_of_its_own_sources_only() -> None:
    """And of paths below them, segment by segment."""
    assert find_foreign(BANK, ["/vn/38/bank", "/vn/38/bank/branch"]) is None
    assert find_foreign(BANK, ["/vn/38/bank", "/vn/38/bank2"]) == 1
    assert find_foreign(BANK, ["/vn/38", "/vn/38/bank"]) == 0


async def test_a_key_that_is_taken_away_ends_with_the_next_request() -> None:
    """The ring is changed whole."""
    app, keys, _ = make_board()
    assert (await ask(app, READ)).status == 200
    keys.replace({})
    assert (await ask(app, READ)).status == 401


def test_readers_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Texts of any sort, no key, one, or two while rotating."""
    path = tmp_path / "readers.yaml"
    readers = (
        DASHBOARD,
        Reader("a-2", 'yes: "no" # 1', ()),
        Reader("b", "38", (make_key("key-1").stored, make_key("key-2").stored)),
    )
    for written in (readers, ()):
        path.write_text(render_readers(written), encoding="utf-8")
        assert load_readers(path) == written


@pytest.mark.parametrize(
    ("readers", "line"),
    [
        ((DASHBOARD, DASHBOARD), "'dashboard' is already in"),
        ((DASHBOARD, Reader("b", "B", DASHBOARD.keys)), "has the sha256 of"),
        ((Reader("B b", "B", ()),), "id"),
        ((Reader("b", "B", (*DASHBOARD.keys,) * 3),), "keys"),
        ((Reader("b", "B", (AgencyKey("key-1", "secret"),)),), "sha256"),
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


def test_a_reader_with_an_agency_s_key_is_refused() -> None:
    """Else it would depend on an order who is asking."""
    agency = replace(BANK, keys=(AgencyKey("key-1", digest("one")),))
    assert len(make_callers([agency], ())) == 1
    with pytest.raises(CatalogueError, match="key of agency:bank"):
        make_callers([agency], [DASHBOARD])


async def test_keys_come_and_go_without_a_restart(tmp_path: Path) -> None:
    """A wrong file changes nothing, and says so; a mended one is taken over."""
    catalogue = copy_catalogue(tmp_path / "catalogue")
    path = tmp_path / "readers.yaml"
    path.write_text(render_readers(()), encoding="utf-8")
    watch, registry = KeyWatch(catalogue, path), CollectorRegistry()
    assert watch.take_over().timezone == "Asia/Ho_Chi_Minh"

    async def until(name: str, *, is_valid: bool, is_wrong: bool = False) -> None:
        async def holds() -> bool:
            found = watch.keys.find(f"Bearer {name}") is not None
            wrong = registry.get_sample_value("uptake_read_keys_unreadable")
            return found is is_valid and wrong == float(is_wrong)

        await eventually(holds, what=f"{name} valid: {is_valid}")

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(watch.run(0.01, BoardMetrics(registry)))
        await until("key-of-bank", is_valid=True)
        path.write_text(render_readers([DASHBOARD]), encoding="utf-8")
        await until("one", is_valid=True)
        path.write_text("- id: 7\n", encoding="utf-8")
        await until("one", is_valid=True, is_wrong=True)
        path.unlink()
        await until("one", is_valid=True, is_wrong=True)
        path.write_text(render_readers(()), encoding="utf-8")
        await until("one", is_valid=False)
        (catalogue / "agencies" / "bank.yaml").unlink()
        await until("key-of-bank", is_valid=False)
        await until("key-of-shop", is_valid=True)
        running.cancel()
