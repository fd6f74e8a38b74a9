"""Rules of what a look writes."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

WORDS = ("tests/unit/alerting/test_standing.py",)
LIVES = (
    "tests/property/test_alert_life_cycle.py",
    "-k",
    "written_only or written_once",
)
CALM = ("tests/property/test_calm_looks.py",)
LOOKS = ("tests/integration/test_alerting_looks.py",)

LIFE = "services/alerting/core/life_cycle.py"
STANDING = "services/alerting/core/standing.py"
ROWS = "services/alerting/store/rows.py"
COPY = "services/alerting/sql/copy.sql"
EVALUATION = "services/alerting/core/evaluation.py"
MARKS = "services/alerting/store/marks.py"
QUERIES = "services/alerting/sql/queries.sql"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "words": WORDS,
    "lives": LIVES,
    "calm": CALM,
    "looks": LOOKS,
}
MUTATIONS: Mapping[str, Mutation] = {
    "time held between two writings": without(
        LIFE, r"life\.held \+ \(to - life\.seen_at\)", "life.held", LIVES
    ),
    "time clear between two writings": without(
        LIFE, r"life\.cleared \+ \(to - life\.seen_at\)", "life.cleared", LIVES
    ),
    "carrying on of what is written": without(
        ROWS,
        r"return life if seen_at is None else carry\(life, seen_at\)",
        "return life",
        LOOKS,
    ),
    "writing of an alert that moves": without(
        STANDING, r"if after is not expected and after != expected:", "if False:", WORDS
    ),
    "rest between two texts": without(
        STANDING, r"timedelta\(seconds=30\)", "timedelta(0)", WORDS
    ),
    "words for a new day": without(STANDING, r" or last\.day != today", "", WORDS),
    "words for a new forecast": without(
        STANDING,
        r"None if seen\.outlook is None else seen\.outlook\.made_at",
        "None",
        WORDS,
    ),
    "end of the due day in the copy": without(
        "services/alerting/store/evaluations.py",
        r'local_day\(until, row\["timezone"\]\) > target\.due',
        'local_day(until, row["timezone"]) >= target.due',
        LOOKS,
    ),
    "one look a second": without(
        COPY,
        r"greatest\(clock_timestamp\(\), k\.evaluated_at \+ interval '1 second'\)",
        "clock_timestamp()",
        LOOKS,
    ),
    "second look at news": without(EVALUATION, r" or changed == now", "", CALM),
    "second look after writing": without(EVALUATION, r" or alerts:", ":", CALM),
    "unrest of the unknown": without(
        EVALUATION, r"found\.status is Status\.UNKNOWN or ", "", CALM
    ),
    "unrest of old words": without(
        EVALUATION, r"not are_words_new\(last, memory\.lives\)", "False", CALM
    ),
    "unrest of what waits": without(
        EVALUATION, r"\[now \+ rest for rest in rests if rest is not None\]", "[]", CALM
    ),
    "unrest of what is met": without(
        EVALUATION, r"found\.status is Status\.MET and", "False and", CALM
    ),
    "unrest of midnight": without(
        ROWS,
        r"min\(result\.calm_until, end_of_day\([^\n]*\)\)",
        "result.calm_until",
        CALM,
    ),
    "calm without a full copy": without(QUERIES, r"c\.is_full\n", "true\n", LOOKS),
    "calm while the copy is old": without(
        QUERIES, r"        AND c\.caught_up_at >= [^\n]*\n", "", LOOKS
    ),
    "calm while watermarks are old": without(
        QUERIES, r"        AND c\.applied_until >= [^\n]*\n", "", LOOKS
    ),
    "calm without a watermark": without(
        QUERIES,
        r"AND NOT EXISTS \(\n(            SELECT FROM alerting\.unit_part)",
        r"AND true OR EXISTS (\n\1",
        LOOKS,
    ),
    "calm beyond its end": without(
        QUERIES, r"        AND t\.calm_until > c\.now\n", "", LOOKS
    ),
    "calm after a pause": without(
        QUERIES, r"t\.evaluated_at BETWEEN [^\n]* AND c\.now", "true", LOOKS
    ),
    "calm after a forecast": without(
        QUERIES,
        r"        AND t\.forecast_at IS NOT DISTINCT FROM f\.made_at\n",
        "",
        LOOKS,
    ),
    "marks of calm targets": without(
        COPY, r"h\.calm_until > '-infinity' OR ", "", LOOKS
    ),
    "marks behind looks": without(COPY, r"    FOR NO KEY UPDATE\n", "", LOOKS),
    "marks before later looks": without(
        MARKS,
        r"    await session\.execute\(COPY\[\"keep_targets\"\], unit_ids\)\n",
        "",
        LOOKS,
    ),
    "marks that end calm": without(
        COPY, r"SET calm_until = '-infinity',\n    next", "SET next", LOOKS
    ),
    "unrest of what was removed": without(
        QUERIES,
        r"(is_removed = true, next_evaluation_at = '-infinity'),\s+"
        r"calm_until = '-infinity'",
        r"\1",
        LOOKS,
    ),
}
