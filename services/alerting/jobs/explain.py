"""`uptake targets explain ID`: the arithmetic of a status, step by step."""

import msgspec

from services.alerting.core.explanation import Explanation, explain, layout
from services.alerting.settings import ExplainSettings
from services.alerting.store.explanations import ExplanationStore
from shared.errors import FatalError
from shared.postgres.pool import open_pool

ROLE = "uptake_alerting"


async def explain_target(settings: ExplainSettings, target_id: str) -> Explanation:
    """Explain a target as its next look would judge it.

    Raises:
        FatalError: There is no such target.
        TransientError: Postgres is away.
    """
    pool = await open_pool(settings, role=ROLE, size_max=1)
    try:
        store = ExplanationStore(
            pool, settings.risk_limits(), settings.silent_share_bp()
        )
        case = await store.read(target_id)
    finally:
        await pool.close()
    if case is None:
        raise FatalError(f"no target {target_id}; `uptake targets` lists them")
    return explain(case)


def as_text(explanation: Explanation) -> str:
    """Write an explanation for people."""
    return "\n".join(layout(explanation)) + "\n"


def as_json(explanation: Explanation) -> str:
    """Write an explanation for programs: integers, fractions as `a/b`, no floats."""
    raw = msgspec.json.encode(explanation)
    return msgspec.json.format(raw, indent=2).decode() + "\n"
