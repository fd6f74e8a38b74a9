"""The contract's documents, and how a value is held against them."""

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from shared.events.documents import render_documents

DOCUMENTS: dict[str, Any] = {
    name: json.loads(content) for name, content in render_documents().items()
}
OPENAPI = DOCUMENTS["openapi.json"]
ASYNCAPI = DOCUMENTS["asyncapi.json"]


def validator(
    document: Mapping[str, Any], schema: Mapping[str, Any]
) -> Draft202012Validator:
    """Build a validator of a schema that refers to components of its document."""
    return Draft202012Validator(
        {**schema, "components": document["components"]},
        format_checker=FormatChecker(),
    )


def named(document: Mapping[str, Any], name: str) -> Draft202012Validator:
    """Build the validator of a named schema."""
    return validator(document, {"$ref": f"#/components/schemas/{name}"})


def stray_members(
    document: Mapping[str, Any], name: str, value: Mapping[str, Any]
) -> set[str]:
    """Return the members of a value that its schema does not name."""
    return set(value) - set(document["components"]["schemas"][name]["properties"])
