"""Rules of paths and goals."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

PATHS = ("tests/unit/alerting/test_path.py", "tests/unit/alerting/test_edges.py")
LAWS = ("tests/property/test_target_path.py",)
GOALS = (
    "tests/unit/shared/test_catalogue_targets.py",
    "tests/unit/shared/test_goal_refusals.py",
    "tests/unit/shared/test_target_refusals.py",
)
SUMS = ("tests/integration/test_alerting_sums.py",)

PATH = "services/alerting/core/path.py"
CURVE = "services/alerting/core/logistic.py"
GOAL = "shared/catalogue/goals.py"
FIGURES = "shared/catalogue/populations.py"
NEXT = "shared/catalogue/successors.py"
COPY = "services/alerting/sql/copy.sql"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "paths": PATHS,
    "laws": LAWS,
    "goals": GOALS,
    "sums": SUMS,
}
MUTATIONS: Mapping[str, Mutation] = {
    "start that equals what is due": without(
        PATH, r"if due_by_now == 0:", "if due_by_now is None:", PATHS
    ),
    "rest before the first milestone": without(
        PATH,
        r"milestones\[at - 1\] if at else",
        "milestones[at - 1] if at > 1 else",
        PATHS,
    ),
    "milestone met on its day": without(
        PATH,
        r"bisect_right\(milestones, today",
        "bisect_right(milestones[:1], today",
        LAWS,
    ),
    "one rounding of the curve": without(
        CURVE, r'Decimal\("0\.000001"\)', 'Decimal("1")', PATHS
    ),
    "precision of the curve": without(CURVE, r"prec=60", "prec=12", LAWS),
    "start value of a flow": without(
        PATH,
        r"return counted \+ target\.start_value if .*? else counted",
        "return counted",
        PATHS,
    ),
    "rounding up of a share": without(
        GOAL, r"exact < start_value or exact == down", "True", GOALS
    ),
    "rounding down of a falling share": without(
        GOAL, r"exact < start_value or ", "", GOALS
    ),
    "refusal of a goal at its ceiling": without(
        GOAL, r"if not 0 < target\.goal_value < ceiling", "if False", GOALS
    ),
    "refusal of a share of nobody": without(
        GOAL, r"if population\.count == 0:", "if population.count < 0:", GOALS
    ),
    "refusal of a guess under a target that is none": without(
        GOAL,
        r"if population\.illustrative and not shape\.illustrative:",
        "if False:",
        GOALS,
    ),
    "refusal of milestones that turn back": without(
        GOAL, r"if not sign \* value <= sign", "if not -sign * value <= sign", GOALS
    ),
    "figure of before the start": without(
        FIGURES, r"if one\.as_of <= start_date", "if one.as_of", GOALS
    ),
    "refusal of a successor that starts too early": without(
        NEXT, r"if shape\.first_day < before\.last_day or \(", "if (", GOALS
    ),
    "span of a flow's level": without(
        COPY,
        r"ON s\.unit_id = l\.unit_id AND f\.day BETWEEN s\.since AND s\.until",
        "ON s.unit_id = l.unit_id AND s.since IS NOT NULL",
        SUMS,
    ),
}
