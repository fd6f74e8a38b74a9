"""Texts that operators write: what is taken, what is refused, how figures look."""

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest

from services.alerting.core.agency_figures import (
    AGENCY_FIGURES,
    AgencySubject,
    write_agency_figure,
)
from services.alerting.core.alerts import Kind
from services.alerting.core.figures import (
    TARGET_FIGURES,
    Figure,
    Names,
    Subject,
    write_figure,
)
from services.alerting.core.risk import Outlook
from services.alerting.core.shipped_texts import SHIPPED, SHIPPED_SOURCE
from services.alerting.core.speech import ENGLISH, VIETNAMESE, Language
from services.alerting.core.templates import TextName
from services.alerting.core.texts import Summary, Tense, summarize
from services.alerting.settings import AlertingSettings
from services.alerting.texts_file import BYTES_MAX, read_texts, write_texts
from shared.errors import SettingsError
from shared.settings import load_settings
from tests.unit.alerting.cases import RISING, judge, on_day

NAMES = Names("Cashless accounts", "Tài khoản không dùng tiền mặt", "Thanh Hóa")
ISSUED = replace(RISING, illustrative=False)
GOOD = """
TargetLagging:
  en: ["{place} lags by {behind_by}", "{{as is}}"]
  vi: ["{place} chậm"]
"""


def subject(outlook: Outlook | None = None, *, level: int = 1_400) -> Subject:
    """Build a lagging target as texts see it."""
    seen = replace(judge(ISSUED, 50, level, short_effect=21), outlook=outlook)
    return Subject(ISSUED, NAMES, seen, on_day(50))


def forecast(
    miss_bp: int | None,
    p10: date | None = None,
    p50: date | None = None,
    p90: date | None = None,
) -> Outlook:
    """Build a forecast of the day before."""
    return Outlook(on_day(49), miss_bp, p10, p50, p90)


def lagging(file: Path) -> Summary:
    """Say that the target lags, in an operator's words."""
    one = subject()
    return summarize(
        Kind.LAGGING,
        one.target,
        one.names,
        one.now,
        today=one.today,
        tense=Tense.HOLDS,
        texts=read_texts(file),
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name the file of texts."""
    return tmp_path / "texts.yaml"


def test_text_of_an_operator_takes_the_place_of_the_shipped_one(file: Path) -> None:
    """In both languages; the others stay."""
    file.write_text(GOOD.replace("{place} lags by", "{place}: lags by {missing},"))
    with pytest.raises(ValueError, match="first sentence must be"):
        read_texts(file)
    file.write_text(GOOD.replace(" by {behind_by}", ""))
    said = lagging(file)
    assert said == Summary("Thanh Hóa lags {as is}", "Thanh Hóa chậm")
    texts = read_texts(file)
    kept = (TextName.MET, Language.ENGLISH)
    assert texts.sentences[kept] == SHIPPED.sentences[kept]


def test_sentence_without_its_figure_is_left_out(file: Path) -> None:
    """No forecast: nothing is said of one, and nothing reads `None`."""
    file.write_text(
        "TargetLagging:\n"
        "  en: ['{place}.', 'Chance {chance}.', 'Short by {behind_by}.']\n"
        "  vi: ['{place}.', 'Khả năng {chance}.', 'Thiếu {behind_by}.']\n"
    )
    said = lagging(file)
    assert said == Summary("Thanh Hóa. Short by 100.", "Thanh Hóa. Thiếu 100.")


def wrong_texts() -> Iterator[tuple[str, str]]:
    """List texts that are refused, with what is said of them."""
    head = "TargetLagging:\n  vi: [a]\n  en: "
    yield head + "['{plaec}']", "TargetLagging.en.1: no figure here is called {plaec}"
    yield head + "['{plaec}']", "did you mean {place}?"
    yield head + "['{q}']", "one of place, indicator"
    yield head + "['{agency}']", "no figure here is called {agency}"
    silent = head.replace("TargetLagging", "AgencySilent")
    yield silent + "['{actual}']", "one of indicator, agency"
    yield silent + "['{last_report}']", "{last_report} is not always known"
    yield head + "[a, '{place']", "TargetLagging.en.2: a brace without its partner"
    yield head + "['place}']", "a brace without its partner"
    yield head + "['{}']", "no figure here is called {}"
    yield head + "['{0}']", "no figure here is called {0}"
    yield head + "['{place.__class__}']", "no figure here is called {place.__class__}"
    yield head + "['{place[0]}']", "no figure here is called {place[0]}"
    yield head + "['{place!r}']", "write its name and nothing else"
    yield head + "['{actual:>1000000000}']", "write its name and nothing else"
    yield head + "['{chance}']", "{chance} is not always known"
    yield head + "['']", "an empty sentence"
    yield head + '["a\\nb"]', "a line break or control character"
    yield head + f"['{'a' * 501}']", "over 500 characters"
    yield head + f"[{', '.join('a' * 21)}]", "more than 20 sentences"
    yield head + "[]", "TargetLagging.en"
    yield head + "place", "write a list"
    yield head + "[1]", "put the value in quotes"
    yield "TargetLagging:\n  en: [a]\n", "TargetLagging.vi: field required; add it"
    yield head + "[a]\n  fr: [a]\n", "TargetLagging.fr"
    yield "TargetLate:\n  en: [a]\n  vi: [a]\n", "TargetLate"
    yield "- a\n", "write a mapping"
    yield "a: [", "not YAML"
    yield "over: !!python/object/apply:os.getcwd []", "tags are not taken"
    yield "# " + "a" * BYTES_MAX, "over 65536 bytes"
    yield head + "['{a}']\nover:\n  vi: ['{b}']\n  en: ['{c}']\n", "(and 2 more)"


@pytest.mark.parametrize(("text", "words"), list(wrong_texts()))
def test_wrong_text_ends_the_start_in_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    """Variable, file, place, what is wrong, what to do."""
    file.write_text(text)
    monkeypatch.setenv("UPTAKE_KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")
    monkeypatch.setenv("UPTAKE_POSTGRES_DSN", "postgresql://uptake@postgres/uptake")
    monkeypatch.setenv("UPTAKE_CATALOGUE", str(file.parent))
    monkeypatch.setenv("UPTAKE_ALERT_TEXTS", str(file))
    with pytest.raises(SettingsError) as caught:
        load_settings(AlertingSettings)
    said = str(caught.value)
    assert said.startswith("bad settings: UPTAKE_ALERT_TEXTS: texts.yaml: ")
    assert words in said
    assert "\n" not in said


def test_missing_file_is_refused(file: Path) -> None:
    """It is not taken for one without texts."""
    with pytest.raises(ValueError, match="name a readable file"):
        read_texts(file)


def test_shipped_texts_are_a_file_that_can_be_changed(file: Path) -> None:
    """What is printed to begin with is read as what is shipped."""
    file.write_text(write_texts(SHIPPED_SOURCE), encoding="utf-8")
    assert read_texts(file) == SHIPPED


def test_every_shipped_text_is_there_in_both_languages() -> None:
    """A kind of alert without a text would be found at night."""
    assert set(SHIPPED.sentences) == {
        (name, language) for name in TextName for language in Language
    }


def test_letters_with_marks_are_one_sign_each(file: Path) -> None:
    """Some editors write the marks apart: it looks alike and is not found again."""
    apart = unicodedata.normalize("NFD", GOOD.replace(" by {behind_by}", ""))
    file.write_text(apart, encoding="utf-8")
    assert lagging(file).vietnamese == "Thanh Hóa chậm"
    for languages in SHIPPED_SOURCE.values():
        for sentence in languages[Language.VIETNAMESE]:
            assert unicodedata.is_normalized("NFC", sentence)


def test_braces_in_a_name_stay_what_they_are(file: Path) -> None:
    """What comes from the catalogue is no template."""
    file.write_text(GOOD.replace(" by {behind_by}", ""))
    one = subject()
    names = replace(NAMES, place="{chance}")
    said = summarize(
        Kind.LAGGING,
        one.target,
        names,
        one.now,
        today=one.today,
        tense=Tense.HOLDS,
        texts=read_texts(file),
    )
    assert said.english == "{chance} lags {as is}"


@pytest.mark.parametrize(
    ("rate", "english", "vietnamese"),
    [
        (Fraction(1_674_310), "1,674,310", "1.674.310"),
        (Fraction(-23_885, 2), "-11,942", "-11.942"),
        (Fraction(10), "10", "10"),
        (Fraction(43, 100), "0.43", "0,43"),
        (Fraction(-7, 2), "-3.5", "-3,5"),
        (Fraction(9_999, 1_000), "10", "10"),
        (Fraction(0), "0", "0"),
    ],
)
def test_rates_are_written_as_each_language_does(
    rate: Fraction, english: str, vietnamese: str
) -> None:
    """Thousands with commas or dots, decimals the other way round."""
    assert (ENGLISH.rate(rate), VIETNAMESE.rate(rate)) == (english, vietnamese)


@pytest.mark.parametrize(
    ("miss_bp", "english", "vietnamese"),
    [
        (0, "less than 1 %", "dưới 1%"),
        (99, "1 %", "1%"),
        (8_250, "83 %", "83%"),
        (9_900, "99 %", "99%"),
        (10_000, "more than 99 %", "trên 99%"),
    ],
)
def test_no_chance_is_told_as_certain(
    miss_bp: int, english: str, vietnamese: str
) -> None:
    """What is forecast may come otherwise."""
    one = subject(forecast(miss_bp))
    assert write_figure(Figure.CHANCE, one, ENGLISH) == english
    assert write_figure(Figure.CHANCE, one, VIETNAMESE) == vietnamese


DAY = date(2026, 3, 1)
FAR = date(2030, 1, 15)


@pytest.mark.parametrize(
    ("outlook", "english", "vietnamese"),
    [
        (forecast(1, DAY, DAY, DAY), "about 1 March 2026.", "khoảng ngày 1/3/2026."),
        (
            forecast(1, DAY, FAR, FAR),
            "between 1 March 2026 and January 2030.",
            "từ ngày 1/3/2026 đến tháng 1/2030.",
        ),
        (
            forecast(1, FAR, None, None),
            "after January 2030, if at all.",
            "sau tháng 1/2030.",
        ),
        (
            forecast(10_000),
            "not be reached within ten years.",
            "không đạt được trong vòng mười năm.",
        ),
        (forecast(None), "by 11 April 2026.", "ngày 11/4/2026."),
        (None, "by 11 April 2026.", "ngày 11/4/2026."),
    ],
)
def test_completion_is_told_as_far_as_it_is_known(
    outlook: Outlook | None, english: str, vietnamese: str
) -> None:
    """One day, a span, its beginning, none within ten years, or nothing."""
    one = subject(outlook)
    for speech, end in ((ENGLISH, english), (VIETNAMESE, vietnamese)):
        write = partial(write_figure, subject=one, speech=speech)
        assert SHIPPED.render(TextName.LAGGING, speech.language, write).endswith(end)


def test_every_figure_of_a_target_is_written_in_both_languages() -> None:
    """What operators may name, each with its value at one lagging target."""
    one = subject(forecast(9_999, DAY, FAR, FAR), level=1_400)
    written = {
        figure.value: (
            write_figure(figure, one, ENGLISH),
            write_figure(figure, one, VIETNAMESE),
        )
        for figure in Figure
        if figure in TARGET_FIGURES
    }
    assert written == {
        "place": ("Thanh Hóa", "Thanh Hóa"),
        "indicator": ("cashless accounts", "tài khoản không dùng tiền mặt"),
        "target": ("rising", "rising"),
        "today": ("20 February 2026", "20/2/2026"),
        "actual": ("1,400", "1.400"),
        "due_now": ("1,500", "1.500"),
        "position": ("0.80", "0,80"),
        "behind_by": ("100", "100"),
        "start": ("1,000", "1.000"),
        "start_day": ("1 January 2026", "1/1/2026"),
        "goal": ("2,000", "2.000"),
        "due": ("11 April 2026", "11/4/2026"),
        "missing": ("600", "600"),
        "now_per_day": ("3", "3"),
        "now_per_day_28": ("0", "0"),
        "needed_per_day": ("12", "12"),
        "chance": ("more than 99 %", "trên 99%"),
        "earliest": ("1 March 2026", "ngày 1/3/2026"),
        "median": ("January 2030", "tháng 1/2030"),
        "latest": ("January 2030", "tháng 1/2030"),
        "about": (None, None),
        "not_before": (None, None),
        "horizon": (None, None),
    }


def test_every_figure_of_an_agency_is_written_in_both_languages() -> None:
    """What operators may name; the last report, or since when one is expected."""
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    heard = AgencySubject(
        agency="bank",
        agency_name="Bank association",
        indicator_name="Cashless accounts",
        indicator_name_vi="Tài khoản không dùng tiền mặt",
        timezone="Asia/Ho_Chi_Minh",
        heard_at=noon,
        expected_at=noon - timedelta(days=1),
        cadence=timedelta(hours=1_000),
    )
    unheard = replace(heard, heard_at=None)

    def written(one: AgencySubject) -> dict[str, tuple[str | None, str | None]]:
        return {
            figure.value: (
                write_agency_figure(figure, one, ENGLISH),
                write_agency_figure(figure, one, VIETNAMESE),
            )
            for figure in Figure
            if figure in AGENCY_FIGURES
        }

    last = ("21 November 2026, 19:00", "19:00 ngày 21/11/2026")
    assert written(heard) == {
        "indicator": ("cashless accounts", "tài khoản không dùng tiền mặt"),
        "agency": ("bank", "bank"),
        "agency_name": ("Bank association", "Bank association"),
        "last_report": last,
        "expected_since": (None, None),
        "every_hours": ("1,000", "1.000"),
    }
    assert written(unheard) == written(heard) | {
        "last_report": (None, None),
        "expected_since": ("20 November 2026, 19:00", "19:00 ngày 20/11/2026"),
    }


def test_figure_belongs_to_a_target_or_to_an_agency() -> None:
    """Each is there for texts of at least one of the two, and of no other."""
    assert set(Figure) == TARGET_FIGURES | AGENCY_FIGURES
    assert {Figure.INDICATOR} == TARGET_FIGURES & AGENCY_FIGURES
