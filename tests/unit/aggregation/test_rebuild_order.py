"""What `uptake rebuild` understands, and what it says."""

import logging

import pytest

from services.aggregation.__main__ import parse_order
from services.aggregation.jobs.display import LogLines, say_outcome, show_rebuild
from services.aggregation.jobs.rebuild import Order, Outcome
from services.aggregation.store.generation import Comparison, Difference

Output = pytest.CaptureFixture[str]
DIFFERENCE = Difference("daily_total", "eid_accounts bank 15961", "8 0", None)


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ([], Order()),
        (["--verify"], Order(is_trial=True)),
        (["--dry-run", "--afresh"], Order(is_trial=True, afresh=True)),
    ],
)
def test_order_is_read(words: list[str], order: Order) -> None:
    """Two names for a trial."""
    assert parse_order(words) == order


@pytest.mark.parametrize("word", ["--veri", "now", "--force"])
def test_unknown_word_ends_with_two(word: str, capsys: Output) -> None:
    """Nothing is rebuilt by a slip."""
    with pytest.raises(SystemExit) as caught:
        parse_order([word])
    assert caught.value.code == 2
    assert word in capsys.readouterr().err


def test_help_names_every_setting(capsys: Output) -> None:
    """The environment is the only other input."""
    with pytest.raises(SystemExit) as caught:
        parse_order(["--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert "UPTAKE_POSTGRES_DSN" in shown
    assert "UPTAKE_CATALOGUE" not in shown


@pytest.mark.parametrize(
    ("outcome", "ends"),
    [
        (
            Outcome(5, Comparison(0, ()), switched=True),
            "5 records rebuilt: every row is equal; the rebuilt totals serve now\n",
        ),
        (
            Outcome(5, Comparison(3, (DIFFERENCE,)), switched=False),
            (
                "daily_total eid_accounts bank 15961: kept 8 0, rebuilt nothing\n"
                "and 2 more rows\n"
                "5 records rebuilt: 3 rows differ; nothing was changed; "
                "`uptake rebuild` puts the rebuilt totals in place\n"
            ),
        ),
    ],
)
def test_outcome_is_said_in_sentences(
    outcome: Outcome, ends: str, capsys: Output
) -> None:
    """Rows that differ come first, what it means last."""
    say_outcome(outcome, on_terminal=True)
    assert capsys.readouterr().out == ends


def test_bar_is_shown_on_a_terminal(capsys: Output) -> None:
    """On the error stream, so that the output can be kept."""
    with show_rebuild(on_terminal=True) as display:
        display.began(resumed=True)
        display.moved(1_500, 3_000)
        display.waits("postgres is away")
        display.waits(None)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "1,500 of 3,000 records" in shown.err
    assert "waiting: postgres is away" in shown.err


def test_progress_is_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    """Not for each batch; but always the last."""
    caplog.set_level(logging.INFO)
    lines = LogLines()
    for applied in range(0, 101, 10):
        lines.moved(applied, 100)
    assert [record.message for record in caplog.records] == ["rebuild_progress"]
    assert vars(caplog.records[0])["records"] == 100
