"""Rules of texts and explanations."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

TEXTS = ("tests/unit/alerting/test_templates.py",)
WORDS = ("tests/unit/alerting/test_texts.py",)
WHY = ("tests/unit/alerting/test_explanation.py",)

TEMPLATES = "services/alerting/core/templates.py"
FIGURES = "services/alerting/core/figures.py"
READER = "services/alerting/texts_file.py"
SETTINGS = "services/alerting/settings.py"
RULES = "services/alerting/core/explanation/rules.py"
LAYOUT = "services/alerting/core/explanation/layout.py"

GROUPS: Mapping[str, tuple[str, ...]] = {"texts": TEXTS, "why": WHY, "words": WORDS}
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
        FIGURES, r"rate if direction\(subject\.target\) > 0 else -rate", "rate", WORDS
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
