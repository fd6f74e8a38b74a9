"""Every problem that a service can answer with has an example in the document."""

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from services.board.core.callers import Beyond
from shared.errors import RefusalCode
from shared.events.openapi_everywhere import EVERYWHERE
from shared.http import make_application
from shared.http_refusals import PROBLEM_TYPE
from tests.contract.documented import OPENAPI
from tests.contract.door_answers import PROJECT, ask
from tests.contract.door_answers import Request as Asked

ROOMS = ("services/ingest/**/*.py", "services/board/**/*.py", "shared/http*.py")
SLUG = re.compile("'[a-z][a-z-]*'")
MAKERS = {"problem", "ProblemError", "Refusal"}


def slugs_of(tree: ast.AST) -> Iterator[str]:
    """Find the slugs that a module names: in a problem, or in a variable `slug`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in MAKERS
        ):
            words = [ast.unparse(each) for each in node.args]
            yield from [word.strip("'") for word in words if SLUG.fullmatch(word)][:1]
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Tuple)
            and isinstance(node.value, ast.Tuple)
        ):
            for name, value in zip(node.targets[0].elts, node.value.elts, strict=True):
                if isinstance(name, ast.Name) and name.id == "slug":
                    assert isinstance(value, ast.Constant), ast.unparse(node)
                    yield str(value.value)


def examples_in(document: object) -> Iterator[Mapping[str, Any]]:
    """Find the values of all examples of a document that are problems."""
    if isinstance(document, dict):
        value = document.get("value")
        if isinstance(value, dict) and str(value.get("type")).startswith(PROBLEM_TYPE):
            yield value
        for part in document.values():
            yield from examples_in(part)
    elif isinstance(document, list):
        for part in document:
            yield from examples_in(part)


def example_of(slug: str) -> Mapping[str, object]:
    """Return the example of a problem that belongs to no address."""
    (example,) = (of[slug] for of in EVERYWHERE.values() if slug in of)
    return example


def slug_of(example: Mapping[str, Any]) -> str:
    """Return the last part of a problem's type."""
    return str(example["type"]).removeprefix(PROBLEM_TYPE)


def test_every_problem_of_the_code_has_an_example_and_no_other_has() -> None:
    """A new problem fails this test until the document shows it.

    Of a lone event its code is the problem's type, so those are the enumeration's.
    """
    known = {
        slug
        for room in ROOMS
        for path in sorted(PROJECT.glob(room))
        for slug in slugs_of(ast.parse(path.read_text(encoding="utf-8")))
    }
    known |= {beyond.value.replace("_", "-") for beyond in Beyond}
    shown = {slug_of(example) for example in examples_in(OPENAPI)}
    lone = {code.value.replace("_", "-") for code in RefusalCode}
    assert len(known) > 30
    assert known - shown == set()
    assert shown - known <= lone
    assert shown & lone


def test_every_status_of_an_example_is_its_own() -> None:
    """A problem says the status that it stands under."""
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            if method not in {"get", "post"}:
                continue
            for status, answer in operation["responses"].items():
                for example in examples_in(answer):
                    assert str(example["status"]) == status, (path, example)


@pytest.mark.parametrize(
    ("method", "path", "slug"),
    [
        ("POST", "/v1/event", "no-such-address"),
        ("GET", "/v1/events", "method-not-allowed"),
    ],
)
async def test_problems_of_every_address_are_as_documented(
    method: str, path: str, slug: str
) -> None:
    """By every service."""

    async def take(_: Request) -> None:
        raise AssertionError

    app: Starlette = make_application([Route("/v1/events", take, methods=["POST"])])
    answer = await ask(app, Asked(method=method, path=path))
    example = example_of(slug)
    assert (answer.status, answer.json()) == (example["status"], example)


async def test_mistake_of_ours_is_answered_as_documented() -> None:
    """By every service, whatever the mistake was."""
    answer_to = make_application([]).exception_handlers[Exception]
    answering = answer_to(Request({"type": "http"}), ZeroDivisionError())
    assert inspect.isawaitable(answering)
    answer = await answering
    example = example_of("bug")
    assert answer.status_code == example["status"]
    assert json.loads(bytes(answer.body)) == example
