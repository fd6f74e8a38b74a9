"""An explanation as lines for a terminal of 80 columns."""

import textwrap
import unicodedata
from typing import Final

from services.alerting.core.explanation.case import Explanation, Step

WIDTH: Final = 80
_LABEL: Final = 13
_MARK: Final = 2


def layout(explanation: Explanation) -> list[str]:
    """Write an explanation, no line wider than 80 columns.

    A figure is never cut in two: a line breaks at spaces only.
    """
    lines = [f"{explanation.target}: {explanation.status.value}"]
    for step in explanation.steps:
        lines += _lay_out(step)
    return lines


def _lay_out(step: Step) -> list[str]:
    lines = []
    label = f"  {step.label}".ljust(_LABEL)
    for text in step.lines:
        lines += _wrap(text, label, " " * (_LABEL + _MARK))
        label = " " * _LABEL
    return [*lines, *_wrap(f"[{step.source}]", label, label + " ")]


def _wrap(text: str, first: str, further: str) -> list[str]:
    return textwrap.wrap(
        _plain(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=further,
        break_on_hyphens=False,
        break_long_words=True,
    )


def _plain(text: str) -> str:
    """Take control characters away, so that no name can steer a terminal."""
    return "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cf"} else letter
        for letter in text
    )
