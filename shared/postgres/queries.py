"""Load named queries from .sql files.

Each query stands under a line `-- name: what_it_is`, followed by comment lines that
describe it; the text up to the next name is the query.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

_NAME: Final = re.compile(r"^-- name: ([a-z][a-z0-9_]*)$", re.MULTILINE)


def load_queries(package: str, filename: str = "queries.sql") -> Mapping[str, str]:
    """Read the queries of a service.

    Args:
        package: Import path of the folder that holds the file.
        filename: The file's name.

    Returns:
        Query text by name.

    Raises:
        ValueError: A name stands twice, or text stands before the first name.
    """
    text = files(package).joinpath(filename).read_text(encoding="utf-8")
    head, *pairs = _NAME.split(text)
    if any(line and not line.startswith("--") for line in head.splitlines()):
        raise ValueError(f"{filename}: text before the first name")
    names = pairs[0::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{filename}: a query name stands twice")
    bodies = (body.strip() for body in pairs[1::2])
    return MappingProxyType(dict(zip(names, bodies, strict=True)))
