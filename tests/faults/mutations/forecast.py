"""Rules of the forecast."""

from collections.abc import Mapping

from tests.support.mutations import Mutation, without

FORECAST = ("tests/unit/alerting/test_forecast.py",)
RISK = ("tests/unit/alerting/test_risk.py",)
STUDY = ("tests/unit/bench/test_forecast_study.py",)

COMPLETION = "services/alerting/core/forecast/completion.py"
PROGRESS = "services/alerting/core/forecast/progress.py"
SCALES = "services/alerting/core/forecast/scales.py"
LIMITS = "services/alerting/core/risk.py"
ALERTS = "services/alerting/core/alerts.py"
STATUS = "services/alerting/core/status.py"

GROUPS: Mapping[str, tuple[str, ...]] = {
    "forecast": FORECAST,
    "risk": RISK,
    "study": STUDY,
}
MUTATIONS: Mapping[str, Mutation] = {
    "least history": without(
        COMPLETION, r"if weeks < WEEKS_MIN:", "if weeks < 2:", FORECAST
    ),
    "silence of a forecast without progress": without(
        COMPLETION, r"return NoForecast\.NO_PROGRESS", "pass", FORECAST
    ),
    "end of a curve": without(
        COMPLETION,
        r"course\.rises and _aim\(course\) <= course\.level",
        "False",
        FORECAST,
    ),
    "ceiling of rising targets only": without(
        COMPLETION,
        r"np\.nan if one\.ceiling is None or not one\.rises",
        "np.nan if one.ceiling is None or one.rises",
        FORECAST,
    ),
    "days of a started week": without(
        COMPLETION,
        r"np\.take_along_axis\(done, rest\.astype\(np\.int64\), axis=1\)",
        "rest / WEEK",
        FORECAST,
    ),
    "spread of chance": without(
        COMPLETION,
        r"noise_min = np\.maximum\(plain\.weeks\.mean\(axis=1\), 1\.0\)",
        "noise_min = 1e-9 + 0.0 * plain.weeks.mean(axis=1)",
        FORECAST,
    ),
    "noise of the weeks to come": without(
        PROGRESS, r"\+ ahead\n        \)", "+ 0.001 * ahead\n        )", STUDY
    ),
    "weeks that depend on each other": without(
        PROGRESS, r"prior=0\.78\),.*?\n\)", "prior=0.78),\n)", STUDY
    ),
    "part of a population that never comes": without(
        SCALES,
        r"\(\(1\.0, 0\.7\), \(0\.9, 0\.2\), \(0\.8, 0\.1\)\)",
        "((1.0, 1.0),)",
        STUDY,
    ),
    "memory of a risk": without(LIMITS, r"if was:", "if not was:", RISK),
    "age of a forecast": without(
        LIMITS, r"today - outlook\.day > STALE_AFTER", "False", RISK
    ),
    "patience of the alert": without(
        LIMITS, r">= limits\.alert_bp", ">= limits.enter_bp", RISK
    ),
    "one alert for one trouble": without(
        ALERTS,
        r"if status is Status\.LAGGING:\n        # It",
        "if False:\n        # It",
        RISK,
    ),
    "place of the risk before ahead": without(
        STATUS, r"if is_at_risk:\n        return Status\.AT_RISK\n", "", RISK
    ),
}
