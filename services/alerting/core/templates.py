"""Texts as templates: sentences with the names of figures in braces (ADR 0026).

A sentence that names a figure which there is none of now is left out. That is all the
logic there is: nothing is looked up in an object, nothing is computed or called, so
the worst that a template can do is to read badly.
"""

import difflib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from string import Formatter
from typing import Final

from services.alerting.core.agency_figures import AGENCY_FIGURES
from services.alerting.core.figures import SOMETIMES, TARGET_FIGURES, Figure
from services.alerting.core.speech import Language

SENTENCES_MAX: Final = 20
CHARACTERS_MAX: Final = 500
"""Of one sentence."""


class TextName(StrEnum):
    """A text that alerts are made of; part of the public contract."""

    LAGGING = "TargetLagging"
    AT_RISK = "TargetAtRisk"
    MISSED = "TargetMissed"
    MET = "TargetMet"
    OVER = "over"
    """Where a target stands once the alert is over, unless it was met or missed."""
    REMOVED = "removed"
    """The catalogue has the target no more."""
    ILLUSTRATIVE = "illustrative"
    """Put before every other text about a target that was made up."""
    AGENCY_SILENT = "AgencySilent"
    AGENCY_OVER = "agency_over"
    """An agency that was silent reports again."""
    AGENCY_REMOVED = "agency_removed"
    """The catalogue expects no reports of it any more."""
    CONTROL_MISMATCH = "ControlMismatch"
    CONTROL_OVER = "control_over"
    """What an agency claims is what was counted again."""


_OF_AGENCIES: Final = frozenset(
    {
        TextName.AGENCY_SILENT,
        TextName.AGENCY_OVER,
        TextName.AGENCY_REMOVED,
        TextName.CONTROL_MISMATCH,
        TextName.CONTROL_OVER,
    }
)
Write = Callable[[Figure], str | None]
"""Writes a figure of what is spoken of; None where there is none of it now."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: literal parts, each but the last followed by a figure."""

    parts: tuple[tuple[str, Figure | None], ...]

    def render(self, write: Write) -> str | None:
        """Write the sentence; None where one of its figures is missing."""
        written = []
        for literal, figure in self.parts:
            written.append(literal)
            if figure is None:
                continue
            value = write(figure)
            if value is None:
                return None
            written.append(value)
        return "".join(written)


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts in all languages."""

    sentences: Mapping[tuple[TextName, Language], tuple[Sentence, ...]]

    def render(self, name: TextName, language: Language, write: Write) -> str:
        """Write a text: its sentences in order, but those that lack a figure."""
        written = []
        for sentence in self.sentences[name, language]:
            said = sentence.render(write)
            if said:
                written.append(said)
        return " ".join(written)


Source = Mapping[TextName, Mapping[Language, Sequence[str]]]
"""Sentences as they are written, by text and language."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a text.

    Attributes:
        place: Where: text, language, number of the sentence.
        wrong: What.
        remedy: What to do.
    """

    place: str
    wrong: str
    remedy: str


class _WrongSentenceError(Exception):
    """A sentence cannot be used; its arguments are what is wrong and what to do."""


def compile_texts(source: Source, base: Texts | None = None) -> Texts | list[Fault]:
    """Check texts and make them ready.

    Args:
        source: Any of the texts, each of them in every language.
        base: What holds for texts that `source` does not have; None where it has all.

    Returns:
        The texts, or every fault that was found.
    """
    faults: list[Fault] = []
    made = {} if base is None else dict(base.sentences)
    for name, languages in source.items():
        known = AGENCY_FIGURES if name in _OF_AGENCIES else TARGET_FIGURES
        for language in Language:
            written = languages.get(language, ())
            place = f"{name.value}.{language.value}"
            faults.extend(_check_size(place, written))
            sentences = []
            for number, text in enumerate(written, start=1):
                try:
                    sentences.append(_compile(text, known, is_first=number == 1))
                except _WrongSentenceError as error:
                    wrong, remedy = error.args
                    faults.append(Fault(f"{place}.{number}", wrong, remedy))
            made[name, language] = tuple(sentences)
    return faults or Texts(made)


def _check_size(place: str, written: Sequence[str]) -> Iterator[Fault]:
    if not written:
        yield Fault(place, "no sentence", "write it in every language")
    if len(written) > SENTENCES_MAX:
        yield Fault(place, f"more than {SENTENCES_MAX} sentences", "shorten it")


def _compile(text: str, known: frozenset[Figure], *, is_first: bool) -> Sentence:
    # Letters with marks are one sign each, whatever editor they come from.
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise _WrongSentenceError("an empty sentence", "remove it")
    if len(text) > CHARACTERS_MAX:
        raise _WrongSentenceError(f"over {CHARACTERS_MAX} characters", "shorten it")
    if any(unicodedata.category(sign) in {"Cc", "Cf", "Cs"} for sign in text):
        raise _WrongSentenceError("a line break or control character", "remove it")
    try:
        parsed = list(Formatter().parse(text))
    except ValueError:
        raise _WrongSentenceError(
            "a brace without its partner", "write {figure}, or {{ and }} for braces"
        ) from None
    sentence = Sentence(tuple((part[0], _figure(*part[1:], known)) for part in parsed))
    if is_first:
        for _, figure in sentence.parts:
            if figure in SOMETIMES:
                raise _WrongSentenceError(
                    f"{{{figure}}} is not always known, and the first sentence must be",
                    "name it in a later sentence, which is left out without it",
                )
    return sentence


def _figure(
    name: str | None, form: str | None, conversion: str | None, known: frozenset[Figure]
) -> Figure | None:
    """Find the figure that stands in braces; None behind the last literal."""
    if name is None:
        return None
    if form or conversion:
        raise _WrongSentenceError(
            f"{{{name}}} with a form of its own", "write its name and nothing else"
        )
    names = {each.value: each for each in Figure if each in known}
    if name in names:
        return names[name]
    near = difflib.get_close_matches(name, names, n=1)
    remedy = f"did you mean {{{near[0]}}}?" if near else f"one of {', '.join(names)}"
    raise _WrongSentenceError(f"no figure here is called {{{name[:40]}}}", remedy)
