"""Which rejected records a command line means."""

import pytest

from services.ingest.jobs.settling import parse_order
from shared.errors import FatalError, RefusalCode, RejectionCode


def test_named_records_are_meant_whatever_their_code() -> None:
    """Each once."""
    order = parse_order(["redrive", "3/7", "0/12", "3/7"])
    assert order.records == {"uptake.events/3/7", "uptake.events/0/12"}
    assert (order.verb, order.code, order.reason) == ("redrive", None, "")


def test_options_choose_open_records() -> None:
    """By code, agency and number."""
    order = parse_order(["redrive", "--code", "unreadable", "--limit", "5"])
    assert (order.code, order.records_max) == ("unreadable", 5)
    order = parse_order(["drop", "--agency", "bank", "--reason", " noise "])
    assert (order.verb, order.agency, order.reason) == ("drop", "bank", "noise")


@pytest.mark.parametrize("code", sorted({*RejectionCode, *RefusalCode}))
def test_records_of_every_code_can_be_dropped(code: str) -> None:
    """Also what was refused in an agency's own topic."""
    assert parse_order(["drop", "--code", code, "--reason", "x"]).code == code


@pytest.mark.parametrize(
    "words",
    [
        "redrive",
        "redrive --limit 3",
        "redrive 3/7 --all",
        "redrive --code odd",
        "redrive --code source_not_yours",
        "redrive --all --limit 0",
        "redrive --all --reason x",
        "drop 3/7",
        "drop --reason x",
    ],
)
def test_vague_order_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is meant by default, and a drop has its reason; status 2."""
    with pytest.raises(SystemExit) as caught:
        parse_order(words.split())
    assert caught.value.code == 2
    assert "uptake rejected" in capsys.readouterr().err


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "\x1b[31m", "x" * 501])
def test_reason_is_one_short_line(reason: str) -> None:
    """It is kept for ever and shown on terminals."""
    with pytest.raises(FatalError, match="--reason"):
        parse_order(["drop", "3/7", "--reason", reason])
