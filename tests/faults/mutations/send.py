"""Rules of `uptake send`."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

UNITS = "tests/unit/cli"
AGAIN = "tests/integration/test_cli_send_again.py"
TOLD = f"{UNITS}/test_send_told.py"

CLI = "services/cli"
NOTING = f"{CLI}/send_noting.py"
STATE = f"{CLI}/send_state.py"
UNDO = f"{CLI}/send_undo.py"
PLAN = f"{CLI}/send_plan.py"
REFUSED = f"{CLI}/send_refused.py"
TELLING = f"{CLI}/send_told.py"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "units": (UNITS, "-k", "send"),
    "again": (AGAIN,),
}
MUTATIONS: Mapping[str, Mutation] = {
    "reading the note on resuming": without(
        NOTING,
        r"return self\._is_resumed and ",
        "return False and ",
        (AGAIN, "-k", "ended_again"),
    ),
    "noting a row before it is sent": without(
        NOTING,
        r"self\._state\.begin\(.*?\)\)\n",
        "pass\n",
        (AGAIN, "-k", "only_partly"),
    ),
    "one run of a sending": without(
        STATE,
        r"== \(Fate\.ACCEPTED, self\._run\)",
        "is not None",
        (f"{UNITS}/test_send_state.py", "-k", "settled"),
    ),
    "ids of an undo": without(
        UNDO,
        r'"data": \{"id": event\.id,',
        '"data": {"id": event.id + "-", ',
        (f"{UNITS}/test_send_report.py", "-k", "reversal"),
    ),
    "one id for the same undo": without(
        UNDO,
        r"json\.dumps\(\[event\.source, event\.id\]\)",
        "__import__('uuid').uuid4().hex",
        (f"{UNITS}/test_send_report.py", "-k", "reversal"),
    ),
    "noting what was undone": without(
        UNDO,
        r"if row\.number not in refused",
        "if False",
        (AGAIN, "-k", "undo_takes_back"),
    ),
    "counting anew what was undone": without(
        PLAN,
        r"while self\._is_undone\(source, (id_ := make_id\(.*?\))\):",
        r"while (\1) is None:",
        (AGAIN, "-k", "undo_takes_back"),
    ),
    "refusing an own id that was undone": without(
        PLAN,
        r"if own is not None and self\._is_undone\(source, str\(own\)\):",
        "if False:",
        (AGAIN, "-k", "own_id"),
    ),
    "a refused row in the file beside": without(
        REFUSED,
        r"                output\.write\(row\)\n",
        "                pass\n",
        (AGAIN, "-k", "refused_rows_are_corrected"),
    ),
    "an edited file of refused rows": without(
        REFUSED,
        r"is_ours = self\._state is not None and .*?\(path\)$",
        "is_ours = True",
        (AGAIN, "-k", "edited"),
    ),
    "the id of a corrected row": without(
        REFUSED,
        r'return row\.made_id or ""',
        'return ""',
        (AGAIN, "-k", "refused_rows_are_corrected"),
    ),
    "rows corrected twice": without(
        NOTING,
        r"if missing and new:",
        "if False:",
        (AGAIN, "-k", "refused_rows_are_corrected"),
    ),
    "ordinals of equal rows": without(
        PLAN,
        r"make_id\(content, ordinal, again\)",
        "make_id(content, 1, again)",
        (f"{UNITS}/test_send_ids.py", "-k", "equal_rows"),
    ),
    "a conflict of what counted before": without(
        TELLING, r"if is_conflict and .*?:", "if False:", (TOLD,)
    ),
    "what the log had before": without(TELLING, r"if is_older:", "if False:", (TOLD,)),
}
