"""What a forecast says, in English and in Vietnamese.

A forecast that ends years ahead is told by months: its days would promise too much.
"""

from datetime import date, timedelta
from typing import Final

from services.alerting.core.risk import Outlook
from services.alerting.core.words import day_in_english, day_in_vietnamese, month_name

FULL_BP: Final = 10_000
NEAR: Final = timedelta(days=180)
# The ends of what is told of a chance: nothing that is forecast is certain.
LEAST_PERCENT: Final = 1
MOST_PERCENT: Final = 99


def say_chance(outlook: Outlook, due: date) -> tuple[str, str]:
    """Tell how likely the due day is missed; empty where nothing is forecast."""
    if outlook.miss_bp is None:
        return "", ""
    percent = round(100 * outlook.miss_bp / FULL_BP)
    word, sign = "", ""
    if percent < LEAST_PERCENT:
        percent, word, sign = LEAST_PERCENT, "less than ", "dưới "
    elif percent > MOST_PERCENT:
        percent, word, sign = MOST_PERCENT, "more than ", "trên "
    return (
        f"The chance of missing {day_in_english(due)} is {word}{percent} %.",
        f"Khả năng không đạt vào ngày {day_in_vietnamese(due)} là {sign}{percent} %.",
    )


def say_completion(outlook: Outlook) -> tuple[str, str]:
    """Tell between which days the goal will be reached; empty where none is known."""
    if outlook.miss_bp is None:
        return "", ""
    if outlook.p10 is None:
        return (
            "As it has gone so far it will not be reached within ten years.",
            "Với tiến độ đến nay sẽ không đạt được trong vòng mười năm.",
        )
    first, first_vi = _when(outlook.p10, outlook.day)
    if outlook.p90 is None:
        return (
            f"As it has gone so far it will be reached after {first}, if at all.",
            f"Với tiến độ đến nay chỉ có thể đạt được sau {first_vi}.",
        )
    last, last_vi = _when(outlook.p90, outlook.day)
    if first == last:
        return (
            f"As it has gone so far it will be reached about {first}.",
            f"Với tiến độ đến nay sẽ đạt được khoảng {first_vi}.",
        )
    return (
        f"As it has gone so far it will be reached between {first} and {last}.",
        f"Với tiến độ đến nay sẽ đạt được từ {first_vi} đến {last_vi}.",
    )


def _when(day: date, today: date) -> tuple[str, str]:
    if day - today <= NEAR:
        return day_in_english(day), f"ngày {day_in_vietnamese(day)}"
    return f"{month_name(day)} {day.year}", f"tháng {day.month}/{day.year}"
