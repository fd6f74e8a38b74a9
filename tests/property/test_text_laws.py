"""The law of what alerts say: whole sentences, in their order, and no others."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from services.alerting.core.figures import Figure
from services.alerting.core.speech import Language
from services.alerting.core.templates import Sentence, TextName, Texts

_LITERALS = st.sampled_from(["", " ", "a", "ế, ", "{", "%s", "."])
_PARTS = st.tuples(_LITERALS, st.one_of(st.none(), st.sampled_from(Figure)))
_SENTENCES = st.lists(st.builds(Sentence, st.lists(_PARTS, max_size=4).map(tuple)))
_KNOWN = st.dictionaries(
    st.sampled_from(Figure), st.sampled_from(["", "1,674,310", "{place}", "ngày 1/3"])
)


def plainly(sentences: list[Sentence], known: Mapping[Figure, str]) -> str:
    """Say what is known, as the decision about texts (ADR 0026) has it."""
    whole = [
        [word for part in one.parts for word in part if word is not None]
        for one in sentences
        if all(figure in known for _, figure in one.parts if figure is not None)
    ]
    said = (
        "".join(known[word] if isinstance(word, Figure) else word for word in words)
        for words in whole
    )
    return " ".join(sentence for sentence in said if sentence)


@given(_SENTENCES, _KNOWN)
def test_text_is_its_sentences_but_those_that_lack_a_figure(
    sentences: list[Sentence], known: Mapping[Figure, str]
) -> None:
    """An empty sentence leaves no space behind; what is written is no template."""
    key = (TextName.OVER, Language.VIETNAMESE)
    said = Texts({key: tuple(sentences)}).render(*key, known.get)
    assert said == plainly(sentences, known)
