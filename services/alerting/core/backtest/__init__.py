"""What alerting would have said, had it run with these targets back then."""

from services.alerting.core.backtest.episodes import Episode, episodes_of
from services.alerting.core.backtest.knowledge import Knowledge, course_of, reading_of
from services.alerting.core.backtest.replay import UNSEEN, Turn, Watch, Watched, watch

__all__ = [
    "UNSEEN",
    "Episode",
    "Knowledge",
    "Turn",
    "Watch",
    "Watched",
    "course_of",
    "episodes_of",
    "reading_of",
    "watch",
]
