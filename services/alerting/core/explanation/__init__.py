"""Why a status is what it is: its arithmetic, step by step, every number exact."""

from services.alerting.core.explanation.case import (
    Case,
    Explanation,
    Step,
    StoredAlert,
)
from services.alerting.core.explanation.layout import layout
from services.alerting.core.explanation.steps import explain

__all__ = ["Case", "Explanation", "Step", "StoredAlert", "explain", "layout"]
