"""The texts that alerts have unless an operator writes others (ADR 0026).

Sentences about what there is not always come later in a text: they are left out.
"""

from typing import Final

from services.alerting.core.speech import Language
from services.alerting.core.templates import Source, TextName, Texts, compile_texts

_CHANGE: Final = (
    "The change is {now_per_day} a day, {needed_per_day} a day is needed to reach "
    "{goal} by {due}."
)
_CHANGE_VI: Final = (
    "Mỗi ngày thay đổi {now_per_day}, cần {needed_per_day} mỗi ngày để đạt {goal} vào "
    "ngày {due}."
)
# One of these is ever said: which one depends on what the forecast knows.
_COMPLETION: Final = (
    "As it has gone so far it will be reached between {earliest} and {latest}.",
    "As it has gone so far it will be reached about {about}.",
    "As it has gone so far it will be reached after {not_before}, if at all.",
    "As it has gone so far it will not be reached within {horizon}.",
)
_COMPLETION_VI: Final = (
    "Với tiến độ đến nay sẽ đạt được từ {earliest} đến {latest}.",
    "Với tiến độ đến nay sẽ đạt được khoảng {about}.",
    "Với tiến độ đến nay chỉ có thể đạt được sau {not_before}.",
    "Với tiến độ đến nay sẽ không đạt được trong vòng {horizon}.",
)
# Of the first two one is said.
_REPORTS: Final = (
    "It last reported on {last_report}.",
    "It has never reported; it is expected to since {expected_since}.",
    "A report is due every {every_hours} hours.",
)
_REPORTS_VI: Final = (
    "Báo cáo lần cuối lúc {last_report}.",
    "Chưa từng báo cáo; phải báo cáo từ {expected_since}.",
    "Phải báo cáo mỗi {every_hours} giờ.",
)

SHIPPED_SOURCE: Final[Source] = {
    TextName.LAGGING: {
        Language.ENGLISH: (
            (
                "{place} is behind on {indicator}: {actual} against {due_now} due by "
                "{today} (position {position})."
            ),
            "It is behind by {behind_by}.",
            _CHANGE,
            *_COMPLETION,
        ),
        Language.VIETNAMESE: (
            (
                "{place} chậm tiến độ {indicator}: {actual} so với {due_now} cần đạt "
                "đến ngày {today} (vị trí {position})."
            ),
            "Đang chậm {behind_by} so với lộ trình.",
            _CHANGE_VI,
            *_COMPLETION_VI,
        ),
    },
    TextName.AT_RISK: {
        Language.ENGLISH: (
            (
                "{place} risks missing its target for {indicator}: {actual} so far, "
                "{goal} are due by {due}."
            ),
            "The chance of missing {due} is {chance}.",
            "The change is {now_per_day} a day, {needed_per_day} a day is needed.",
            *_COMPLETION,
        ),
        Language.VIETNAMESE: (
            (
                "{place} có nguy cơ không đạt chỉ tiêu {indicator}: hiện có {actual}, "
                "chỉ tiêu là {goal} đến ngày {due}."
            ),
            "Khả năng không đạt vào ngày {due} là {chance}.",
            "Mỗi ngày thay đổi {now_per_day}, cần {needed_per_day} mỗi ngày.",
            *_COMPLETION_VI,
        ),
    },
    TextName.MISSED: {
        Language.ENGLISH: (
            (
                "{place} missed its target for {indicator}: {actual} on {due}, where "
                "{goal} were due."
            ),
            "It is {missing} away from the goal.",
        ),
        Language.VIETNAMESE: (
            (
                "{place} không đạt chỉ tiêu {indicator}: {actual} vào ngày {due}, chỉ "
                "tiêu là {goal}."
            ),
            "Còn cách chỉ tiêu {missing}.",
        ),
    },
    TextName.MET: {
        Language.ENGLISH: (
            (
                "{place} has met its target for {indicator}: {actual}, where {goal} "
                "are due by {due}."
            ),
        ),
        Language.VIETNAMESE: (
            (
                "{place} đã đạt chỉ tiêu {indicator}: {actual}, chỉ tiêu là {goal} đến "
                "ngày {due}."
            ),
        ),
    },
    TextName.OVER: {
        Language.ENGLISH: (
            (
                "{place} now stands at {actual} for {indicator}, against {due_now} due "
                "by {today} (position {position})."
            ),
        ),
        Language.VIETNAMESE: (
            (
                "{place} hiện đạt {actual} {indicator}, so với {due_now} cần đạt đến "
                "ngày {today} (vị trí {position})."
            ),
        ),
    },
    TextName.REMOVED: {
        Language.ENGLISH: ("The target {target} ({place}) is no longer kept.",),
        Language.VIETNAMESE: ("Chỉ tiêu {target} ({place}) không còn hiệu lực.",),
    },
    TextName.ILLUSTRATIVE: {
        Language.ENGLISH: ("(illustrative)",),
        Language.VIETNAMESE: ("(minh họa)",),
    },
    TextName.AGENCY_SILENT: {
        Language.ENGLISH: (
            "{agency_name} ({agency}) is not reporting {indicator}.",
            *_REPORTS,
        ),
        Language.VIETNAMESE: (
            "{agency_name} ({agency}) không báo cáo {indicator}.",
            *_REPORTS_VI,
        ),
    },
    TextName.AGENCY_OVER: {
        Language.ENGLISH: (
            "{agency_name} ({agency}) reports {indicator} again.",
            *_REPORTS,
        ),
        Language.VIETNAMESE: (
            "{agency_name} ({agency}) đã báo cáo {indicator} trở lại.",
            *_REPORTS_VI,
        ),
    },
    TextName.AGENCY_REMOVED: {
        Language.ENGLISH: (
            "{agency_name} ({agency}) is no longer expected to report {indicator}.",
        ),
        Language.VIETNAMESE: (
            "{agency_name} ({agency}) không còn phải báo cáo {indicator}.",
        ),
    },
}


def _shipped() -> Texts:
    made = compile_texts(SHIPPED_SOURCE)
    assert isinstance(made, Texts), made
    return made


SHIPPED: Final = _shipped()
