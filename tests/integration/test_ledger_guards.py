"""What the database itself refuses, whatever the code above it does."""

import asyncpg
import pytest

from tests.support.events import opened
from tests.support.stack import Stack

pytestmark = [pytest.mark.timeout(120), pytest.mark.embedded]


async def test_nothing_stands_twice_in_the_ledger(stack: Stack) -> None:
    """(source, id) is unique over the whole ledger, by a key and not by care."""
    await stack.start("ingest", "aggregation")
    assert (await stack.post(opened(5))).status == 202
    await stack.wait_applied(1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await stack.fetch(
            "INSERT INTO aggregation.ledger SELECT * FROM aggregation.ledger"
        )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE aggregation.progress SET counted = counted + 1",
        "UPDATE aggregation.progress SET next_offset = next_offset + 1",
    ],
)
async def test_every_record_has_one_class(stack: Stack, change: str) -> None:
    """Promise 3 is a constraint: no progress without classes, no class without it."""
    connection = await asyncpg.connect(stack.dsn)
    try:
        await connection.execute(
            "INSERT INTO aggregation.progress (partition, next_offset) VALUES (0, 0)"
        )
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(change)
    finally:
        await connection.close()
