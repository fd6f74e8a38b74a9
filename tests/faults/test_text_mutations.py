"""With a rule of texts or explanations taken out of the code, its tests must fail.

As `test_mutations`; all of it is shown by tests without servers.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.test_mutations import (
    SECONDS_MAX,
    Mutation,
    copy_tree,
    fail_with,
    run_tests,
)
from tests.faults.test_path_mutations import without

pytestmark = [
    pytest.mark.slow,
    pytest.mark.embedded,
    pytest.mark.timeout(SECONDS_MAX + 60),
]

TEXTS = ("tests/unit/alerting/test_templates.py",)
WHY = ("tests/unit/alerting/test_explanation.py",)

TEMPLATES = "services/alerting/core/templates.py"
FIGURES = "services/alerting/core/figures.py"
READER = "services/alerting/texts_file.py"
SETTINGS = "services/alerting/settings.py"
RULES = "services/alerting/core/explanation/rules.py"
LAYOUT = "services/alerting/core/explanation/layout.py"

MUTATIONS: Mapping[str, Mutation] = {
    "refusal of forms in braces": without(
        TEMPLATES, r"if form or conversion:", "if False:", TEXTS
    ),
    "refusal of control characters in texts": without(
        TEMPLATES, r'\{"Cc", "Cf", "Cs"\}', '{"Xx"}', TEXTS
    ),
    "refusal of a first sentence that may be left out": without(
        TEMPLATES, r"if figure in SOMETIMES:", "if False:", TEXTS
    ),
    "figures of targets kept out of texts about agencies": without(
        TEMPLATES, r" if each in known\}", "}", TEXTS
    ),
    "bound on sentences": without(
        TEMPLATES, r"SENTENCES_MAX: Final = 20", "SENTENCES_MAX: Final = 2000", TEXTS
    ),
    "bound on the file of texts": without(
        READER, r"if size > BYTES_MAX:", "if False:", TEXTS
    ),
    "both languages of a text": without(
        READER, r"\(_Sentences, \.\.\.\)", "(_Sentences, ['a'])", TEXTS
    ),
    "reading of texts at the start": without(
        SETTINGS,
        r"        read_texts\(file\)\n    except",
        "        file.stat()\n    except",
        TEXTS,
    ),
    "sentence left out without its figure": without(
        TEMPLATES,
        r"if value is None:\n +return None",
        'if value is None:\n                value = ""',
        TEXTS,
    ),
    "change as it is of a falling target": without(
        FIGURES,
        r"direction\(subject\.target\) \* rate",
        "rate",
        ("tests/unit/alerting/test_texts.py",),
    ),
    "memory of a lag in the rules": without(
        RULES, r"holds = is_below and not all\(enough\)", "holds = is_below", WHY
    ),
    "grace of the first days in the rules": without(
        RULES, r"< GRACE_DAYS:", "< 0:", WHY
    ),
    "width of a terminal": without(
        LAYOUT, r"WIDTH: Final = 80", "WIDTH: Final = 90", WHY
    ),
    "text of the catalogue as text": without(LAYOUT, r"_plain\(text\),", "text,", WHY),
}


@pytest.mark.parametrize("tests", [TEXTS, WHY], ids=" ".join)
async def test_copied_tree_passes_as_it_is(
    tests: tuple[str, ...], tmp_path: Path
) -> None:
    """Or a failure after a mutation would mean nothing."""
    status, said = await run_tests(copy_tree(tmp_path / "tree"), tests)
    assert status == 0, said


@pytest.mark.parametrize("name", MUTATIONS)
async def test_tests_fail_without(name: str, tmp_path: Path) -> None:
    """Whoever takes this rule out of the code hears of it."""
    await fail_with(MUTATIONS[name], tmp_path)
