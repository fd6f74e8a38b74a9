"""Reads the file in which an operator writes texts of their own (ADR 0026).

A text in it takes the place of the shipped one; the others stay as shipped, so that a
kind of alert that a later release brings has its text.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import Field, create_model

from services.alerting.core.shipped_texts import SHIPPED
from services.alerting.core.speech import Language
from services.alerting.core.templates import (
    Source,
    TextName,
    Texts,
    compile_texts,
)
from shared.catalogue.files import Problems, read_one
from shared.catalogue.shapes import Shape

BYTES_MAX: Final = 64 * 1024
LINE_WIDTH: Final = 80

_Sentences = Annotated[list[str], Field(min_length=1)]
_LANGUAGES: Final[dict[str, Any]] = {
    language.value: (_Sentences, ...) for language in Language
}
_Text: Final = create_model("_Text", __base__=Shape, **_LANGUAGES)
_TEXTS: Final[dict[str, Any]] = {name.value: (_Text | None, None) for name in TextName}
_File: Final = create_model("_File", __base__=Shape, **_TEXTS)


def read_texts(file: Path) -> Texts:
    """Read and check a file of texts.

    Raises:
        ValueError: It cannot be used; one line: file, place, what is wrong, what to do.
    """
    problems = Problems()
    source = _read_source(file, problems)
    if not problems.lines:
        made = compile_texts(source, SHIPPED)
        if isinstance(made, Texts):
            return made
        for fault in made:
            problems.add(file.name, fault.place, fault.wrong, fault.remedy)
    first, *more = problems.lines
    raise ValueError(f"{first} (and {len(more)} more)" if more else first)


def _read_source(file: Path, problems: Problems) -> Source:
    try:
        size = file.stat().st_size
    except OSError as error:
        problems.add(file.name, "file", str(error), "name a readable file")
        return {}
    if size > BYTES_MAX:
        problems.add(file.name, "file", f"over {BYTES_MAX} bytes", "shorten it")
        return {}
    entry = read_one(file.parent, file.name, _File, problems)
    if entry is None:
        return {}
    return {
        TextName(name): {Language(code): said for code, said in text.items()}
        for name, text in entry.shape.model_dump(exclude_none=True).items()
    }


def write_texts(source: Source) -> str:
    """Write texts as the file that `read_texts` reads."""
    plain = {
        name.value: {code.value: list(said) for code, said in languages.items()}
        for name, languages in source.items()
    }
    return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=LINE_WIDTH)
