"""How the verbs of aggregation are called, and what a republication shows."""

import logging
import sys

import pytest

from services.aggregation.__main__ import VERBS, main, run_verb
from services.aggregation.jobs.display import (
    RepublishLines,
    say_published,
    show_republication,
)
from shared.errors import FatalError, SettingsError

Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_verb_explains_itself(
    verb: str, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its settings are in its help, a catalogue is not among them."""
    monkeypatch.setattr(sys, "argv", ["services.aggregation", verb, "--help"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: uptake {verb}")
    assert "UPTAKE_POSTGRES_DSN" in shown
    assert "UPTAKE_CATALOGUE" not in shown


@pytest.mark.parametrize(
    ("error", "status"),
    [(SettingsError("a"), 2), (FatalError("a"), 1), (KeyboardInterrupt(), 130)],
)
def test_what_goes_wrong_is_a_status(error: BaseException, status: int) -> None:
    """Bad settings, a reason, an interruption."""

    def verb(_: object, __: bool) -> int:  # noqa: FBT001 -- as verbs are called
        raise error

    assert run_verb(verb, []) == status


def test_republication_is_a_bar_on_a_terminal(capsys: Output) -> None:
    """What is left counts what is not noted yet and what waits."""
    with show_republication(on_terminal=True) as display:
        display.moved(3_000, 5_000, 500)
        display.waits("nothing is published")
        display.waits(None)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "2,500 of 5,000 totals left" in shown.err
    assert "waiting: nothing is published" in shown.err
    say_published(5_000, on_terminal=True)
    assert capsys.readouterr().out == "5,000 totals published again\n"


def test_republication_is_log_lines_elsewhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Now and then, not at each look."""
    caplog.set_level(logging.INFO)
    lines = RepublishLines()
    for noted in range(5):
        lines.moved(noted, 5, 1)
    say_published(5, on_terminal=False)
    assert [record.message for record in caplog.records] == [
        "republish_progress",
        "republished",
    ]
