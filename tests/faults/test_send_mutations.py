"""Tests of the tests of `uptake send`: with a rule taken out, they must fail."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.test_mutations import (
    SECONDS_MAX,
    Edit,
    Mutation,
    copy_tree,
    fail_with,
    run_tests,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded,
    pytest.mark.timeout(SECONDS_MAX + 60),
]

CLI = "services/cli"
UNITS = "tests/unit/cli"
AGAIN = "tests/integration/test_cli_send_again.py"
TOLD = f"{UNITS}/test_send_told.py"


def again(words: str) -> tuple[str, ...]:
    """Name tests that run the command against a door of their own."""
    return (AGAIN, "-k", words)


def changed(
    room: str, fragment: str, replacement: str, tests: tuple[str, ...]
) -> Mutation:
    """Change one place of the command."""
    return Mutation((Edit(f"{CLI}/{room}", fragment, replacement),), tests)


MUTATIONS: Mapping[str, Mutation] = {
    "reading the note on resuming": changed(
        "send_noting.py",
        r"return self\._is_resumed and ",
        "return False and ",
        again("ended_again"),
    ),
    "noting a row before it is sent": changed(
        "send_noting.py",
        r"self\._state\.begin\(.*?\)\)\n",
        "pass\n",
        again("only_partly"),
    ),
    "one run of a sending": changed(
        "send_state.py",
        r"== \(Fate\.ACCEPTED, self\._run\)",
        "is not None",
        (f"{UNITS}/test_send_state.py", "-k", "settled"),
    ),
    "ids of an undo": changed(
        "send_undo.py",
        r'"data": \{"id": event\.id,',
        '"data": {"id": event.id + "-", ',
        (f"{UNITS}/test_send_report.py", "-k", "reversal"),
    ),
    "one id for the same undo": changed(
        "send_undo.py",
        r"json\.dumps\(\[event\.source, event\.id\]\)",
        "__import__('uuid').uuid4().hex",
        (f"{UNITS}/test_send_report.py", "-k", "reversal"),
    ),
    "noting what was undone": changed(
        "send_undo.py",
        r"if row\.number not in refused",
        "if False",
        again("undo_takes_back"),
    ),
    "counting anew what was undone": changed(
        "send_plan.py",
        r"while self\._is_undone\(source, (id_ := make_id\(.*?\))\):",
        r"while (\1) is None:",
        again("undo_takes_back"),
    ),
    "refusing an own id that was undone": changed(
        "send_plan.py",
        r"if own is not None and self\._is_undone\(source, str\(own\)\):",
        "if False:",
        again("own_id"),
    ),
    "a refused row in the file beside": changed(
        "send_refused.py",
        r"                output\.write\(row\)\n",
        "                pass\n",
        again("refused_rows_are_corrected"),
    ),
    "an edited file of refused rows": changed(
        "send_refused.py",
        r"is_ours = self\._state is not None and .*?\(path\)$",
        "is_ours = True",
        again("edited"),
    ),
    "the id of a corrected row": changed(
        "send_refused.py",
        r'return row\.made_id or ""',
        'return ""',
        again("refused_rows_are_corrected"),
    ),
    "rows corrected twice": changed(
        "send_noting.py",
        r"if missing and new:",
        "if False:",
        again("refused_rows_are_corrected"),
    ),
    "ordinals of equal rows": changed(
        "send_plan.py",
        r"make_id\(content, ordinal, again\)",
        "make_id(content, 1, again)",
        (f"{UNITS}/test_send_ids.py", "-k", "equal_rows"),
    ),
    "a conflict of what counted before": changed(
        "send_told.py", r"if is_conflict and .*?:", "if False:", (TOLD,)
    ),
    "what the log had before": changed(
        "send_told.py", r"if is_older:", "if False:", (TOLD,)
    ),
}


@pytest.mark.parametrize("tests", [(UNITS, "-k", "send"), (AGAIN,)])
async def test_copied_tree_passes_as_it_is(
    tests: tuple[str, ...], tmp_path: Path
) -> None:
    """Or a failure after a mutation would mean nothing."""
    status, said = await run_tests(copy_tree(tmp_path / "tree"), tests)
    assert status == 0, said


@pytest.mark.parametrize("name", MUTATIONS)
async def test_tests_fail_without(name: str, tmp_path: Path) -> None:
    """Whoever takes this out of the code hears of it."""
    await fail_with(MUTATIONS[name], tmp_path)
