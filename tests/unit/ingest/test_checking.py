"""Events are decided on without a server as the door decides on them."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from services.ingest.jobs.checking import check_batches, parse_check
from shared.errors import CatalogueError, FatalError
from tests.support.catalogues import SHIPPED
from tests.unit.ingest.doors import NOON

VOSO = "/vn/38/voso"


def event(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
    """Make an event that Voso may send, at noon of all examples."""
    return {
        "specversion": "1.0",
        "id": "1",
        "source": VOSO,
        "type": "uptake.ecommerce.completed",
        "time": NOON.isoformat(),
        "data": {"locality": "15961"},
        **changes,
    }


def check(*batches: list[Any], words: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Have batches checked against the catalogue that ships."""
    order = parse_check(("--catalogue", str(SHIPPED), *words), NOON)
    asked = io.StringIO("".join(json.dumps(batch) + "\n" for batch in batches))
    told = io.StringIO()
    check_batches(order, asked, told)
    return [json.loads(line) for line in told.getvalue().splitlines()]


def test_each_batch_is_answered_with_its_receipt() -> None:
    """In order, a line each; the owner of the first source is the agency."""
    foreign = event(source="/vn/38/other")
    first, second = check([event(), event(data={})], [foreign])
    assert (first["received"], first["accepted"]) == (2, 1)
    assert [(one["index"], one["code"]) for one in first["refused"]] == [
        (1, "bad_locality")
    ]
    assert [one["code"] for one in second["refused"]] == ["source_not_yours"]


def test_instant_can_be_named() -> None:
    """Years later the same event is too late."""
    (told,) = check([event()], words=("--at", "2036-01-01T00:00:00+07:00"))
    assert [one["code"] for one in told["refused"]] == ["too_late"]


def test_agency_can_be_named() -> None:
    """Then a foreign source is refused, rather than its owner found."""
    (told,) = check([event()], words=("--agency", "tha-postmart"))
    assert [one["code"] for one in told["refused"]] == ["source_not_yours"]


@pytest.mark.parametrize(
    ("words", "source"), [(("--agency", "none"), VOSO), ((), "/nobody")]
)
def test_agency_that_there_is_not_is_named(words: tuple[str, ...], source: str) -> None:
    """With those that there are."""
    with pytest.raises(FatalError, match="tha-voso"):
        check([event(source=source)], words=words)


def test_catalogue_is_checked_first(tmp_path: Path) -> None:
    """What is wrong with it is told as `uptake catalogue check` does."""
    broken = Path(shutil.copytree(SHIPPED, tmp_path / "catalogue"))
    (broken / "indicators.yaml").write_text("- 1", encoding="utf-8")
    order = parse_check(("--catalogue", str(broken)), NOON)
    with pytest.raises(CatalogueError):
        check_batches(order, io.StringIO(), io.StringIO())


@pytest.mark.parametrize(
    "words", [(), ("--catalogue", "x", "--at", "2026-11-03T09:00")]
)
def test_command_line_that_makes_no_sense_ends_with_two(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """An instant needs its offset."""
    with pytest.raises(SystemExit, match="2"):
        parse_check(words, NOON)
    assert capsys.readouterr().err
