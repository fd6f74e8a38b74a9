"""docker-compose.yml as compose reads it: variables filled in, anchors resolved."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
COMPOSE = PROJECT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([?-])([^}]*))?\}")


class MissingVariableError(Exception):
    """A variable that the file requires is not set."""


def fill_in(text: str, variables: Mapping[str, str]) -> str:
    """Replace `${NAME}`, `${NAME:-default}` and `${NAME:?message}`.

    Raises:
        MissingVariableError: One without default is unset or empty.
    """

    def value(found: re.Match[str]) -> str:
        name, operator, argument = found.groups()
        if given := variables.get(name):
            return given
        if operator == "-":
            return str(argument)
        raise MissingVariableError(f"{name}: {argument}")

    return _VARIABLE.sub(value, text)


def read_compose(variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the file's content.

    Raises:
        MissingVariableError: A variable that it requires is not given.
    """
    text = COMPOSE.read_text(encoding="utf-8")
    # Comments may name variables that nobody has to set.
    code = "\n".join(line for line in text.splitlines() if line.lstrip()[:1] != "#")
    content: dict[str, Any] = yaml.safe_load(fill_in(code, variables))
    return content
