"""Log lines are JSON, one each."""

import json
import logging
from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.log import JsonFormatter


def line_of(message: str, /, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """Format one record and read it back."""
    record = logging.LogRecord("x", logging.WARNING, "x.py", 1, message, None, None)
    vars(record).update(changes)
    text = JsonFormatter("ingest").format(record)
    assert "\n" not in text
    read = json.loads(text)
    assert isinstance(read, dict)
    return read


def test_line_says_when_how_grave_who_and_what() -> None:
    """The instant is in UTC, with milliseconds."""
    at = datetime(2026, 11, 21, 2, 0, 0, 250_000, tzinfo=UTC)
    assert line_of("batch_applied", created=at.timestamp()) == {
        "at": "2026-11-21T02:00:00.250+00:00",
        "level": "WARNING",
        "service": "ingest",
        "event": "batch_applied",
    }


def test_figures_stand_beside_the_event_as_json() -> None:
    """Numbers stay numbers; what JSON does not know is written as text."""
    line = line_of("batch_applied", records=5, day=date(2026, 11, 21), parts=[1, 2])
    assert (line["records"], line["day"], line["parts"]) == (5, "2026-11-21", [1, 2])


def test_vietnamese_stays_readable() -> None:
    """An operator greps for names."""
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "Thanh Hóa", None, None)
    assert "Thanh Hóa" in JsonFormatter("ingest").format(record)


def test_figure_cannot_pass_for_the_lines_own_members() -> None:
    """A line must not lie about who wrote it or how grave it is."""
    line = line_of("stopped", service="other", level="DEBUG", event="x", at="never")
    assert (line["service"], line["level"]) == ("ingest", "WARNING")
    assert line["event"] == "stopped"
    assert line["at"] != "never"


def test_traceback_stays_within_its_line() -> None:
    """One line each, also for a bug."""

    def crash() -> None:
        raise ValueError("first\nsecond")

    with pytest.raises(ValueError, match="first") as caught:
        crash()
    line = line_of("crashed", exc_info=(caught.type, caught.value, caught.tb))
    assert "Traceback" in line["traceback"]
    assert "first\nsecond" in line["traceback"]


def test_half_a_character_does_not_lose_the_line() -> None:
    """Standard output is UTF-8, which has no lone surrogates."""
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "refused", None, None)
    vars(record)["reason"] = "a\ud800"
    text = JsonFormatter("ingest").format(record)
    assert json.loads(text.encode())["reason"].startswith("a")
