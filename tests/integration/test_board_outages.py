"""The board while Postgres is away, slow, busy or empty: it says so, and goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from services.cli.embedded.broker import EmbeddedBroker
from services.cli.embedded.ports import LOOPBACK
from services.cli.migrate import OWNERS, _run_dbmate, dbmate_url
from tests.support.board import Board
from tests.support.catalogues import copy_catalogue
from tests.support.stack import Stack, eventually
from tests.support.tcp_proxy import TcpProxy

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]
ASKED = [{"source": "/test/bank", "id": "none"}]


@pytest.fixture
async def proxied(
    database: str, tmp_path: Path
) -> AsyncIterator[tuple[Stack, TcpProxy]]:
    """Prepare a stack of a board alone, on an empty database behind a proxy."""
    parts = urlsplit(database)
    async with TcpProxy(parts.port or 0) as proxy:
        login = parts.netloc.rpartition("@")[0]
        netloc = f"{login}@{LOOPBACK}:{proxy.port}"
        stack = Stack(
            broker=EmbeddedBroker(tmp_path / "none"),
            bootstrap_servers="127.0.0.1:9",
            dsn=database,
            catalogue=copy_catalogue(tmp_path / "catalogue"),
            folder=tmp_path,
            is_embedded=True,
            overrides={
                "UPTAKE_POSTGRES_DSN": urlunsplit(parts._replace(netloc=netloc))
            },
        )
        yield stack, proxy
        await stack.stop()


async def migrate(dsn: str) -> None:
    """Make the tables and views."""
    for owner in OWNERS:
        await _run_dbmate(owner, dbmate_url(dsn))


@asynccontextmanager
async def locked(dsn: str, table: str) -> AsyncIterator[None]:
    """Keep every reader off a table while the body runs."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def answers(board: Board, path: str) -> tuple[int, str]:
    """Return the status and the kind of problem of a page."""
    status, body = await board.get(path)
    return status, body.get("type", "").rpartition("/")[2]


async def until(board: Board, path: str, status: int, slug: str = "") -> None:
    """Wait until a page answers in a certain way."""

    async def is_so() -> bool:
        return await answers(board, path) == (status, slug)

    await eventually(is_so, what=f"{path}: {status} {slug}")


async def test_board_starts_before_postgres_and_its_views_and_outlives_both(
    proxied: tuple[Stack, TcpProxy],
) -> None:
    """Away, empty, migrated, away, back: always an answer, and never a restart."""
    stack, postgres = proxied
    await postgres.cut()
    child, board = stack.spawn("board"), Board(stack)
    await board_answers(board)
    await board.wait_ready_says("postgres does not answer")
    assert await answers(board, "/v1/totals") == (503, "store-away")
    await postgres.restore()
    # Of views, or of the role, which another test's database may have brought.
    await board.wait_ready_says("run `uptake migrate`")
    assert (await answers(board, "/v1/totals"))[0] == 503
    await migrate(stack.dsn)
    await stack.wait_ready("board")
    # Nothing is counted and no locality loaded yet.
    assert await answers(board, "/v1/totals") == (404, "no-such-locality")
    assert await answers(board, "/v1/targets") == (200, "")
    status, body = await board.post(ASKED)
    assert (status, body["states"]) == (200, {"not_seen": 1})
    assert body["complete_up_to"] is None
    await postgres.cut()
    await until(board, "/v1/targets", 503, "store-away")
    status, body = await board.post(ASKED)
    assert (status, body["type"].rpartition("/")[2]) == (503, "store-away")
    await board.wait_ready_says("postgres")
    await postgres.restore()
    await until(board, "/v1/targets", 200)
    await stack.wait_ready("board")
    connection = await asyncpg.connect(stack.dsn)
    await connection.execute("DROP VIEW reporting.alert")
    await connection.close()
    assert await answers(board, "/v1/alerts") == (503, "not-migrated")
    await board.wait_ready_says("run `uptake migrate`")
    assert child.is_running()
    assert "crashed" not in stack.log_tail("board")


async def board_answers(board: Board) -> None:
    """Wait until the door is open, whatever it says."""

    async def is_open() -> bool:
        try:
            return (await board.stack.get(board.name, "/health/live"))[0] == 200
        except OSError:
            return False

    await eventually(is_open, what="the board answers")


async def test_slow_and_too_many_reads_end_by_themselves(
    proxied: tuple[Stack, TcpProxy],
) -> None:
    """A statement is given up in time, and nobody waits without end behind it."""
    stack, _ = proxied
    await migrate(stack.dsn)
    stack.spawn("board", UPTAKE_POSTGRES_STATEMENT_TIMEOUT_SECONDS="0.3")
    stack.spawn("board-2", UPTAKE_POSTGRES_CONNECTIONS_MAX="1")
    for name in ("board", "board-2"):
        await stack.wait_ready(name)
    quick, narrow = Board(stack), Board(stack, "board-2")
    async with locked(stack.dsn, "alerting.alert"):
        assert await answers(quick, "/v1/alerts") == (503, "too-slow")
        # The others can be read, and so can this one once it is free.
        assert await answers(quick, "/v1/series?indicator=cashless_accounts") == (
            404,
            "no-such-locality",
        )
        async with asyncio.TaskGroup() as tasks:
            both = [tasks.create_task(answers(narrow, "/v1/alerts")) for _ in range(3)]
        # One has the connection until its statement ends, the others wait for it less.
        assert {task.result() for task in both} == {(503, "busy"), (503, "too-slow")}
    for board in (quick, narrow):
        await until(board, "/v1/alerts", 200)
