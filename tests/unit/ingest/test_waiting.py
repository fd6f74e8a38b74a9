"""Topics that wait alone, and for how long nobody has to be looked at."""

from aiokafka import TopicPartition

from services.ingest.submissions.waiting import WaitingTopics

BANK, SHOP = TopicPartition("bank", 0), TopicPartition("shop", 0)


def test_next_wait_that_ends_is_told_and_what_has_ended_is_not() -> None:
    """Whose wait is over and who has nothing to read must keep nobody awake."""
    waiting = WaitingTopics()
    assert waiting.seconds_to_next(10.0, most=0.25) == 0.25
    waiting.hold(BANK, 10.125)
    waiting.hold(SHOP, 99.0)
    assert waiting.seconds_to_next(10.0, most=0.25) == 0.125
    assert waiting.due(10.0) == set()
    assert waiting.due(10.125) == {BANK}
    assert waiting.seconds_to_next(10.125, most=0.25) == 0.25


def test_wait_for_a_rate_makes_no_trouble_shorter() -> None:
    """A topic in trouble waits longer each time, also if it waited for its rate."""
    patient, other = WaitingTopics(), WaitingTopics()
    for attempt in range(1, 9):
        long = patient.add(BANK, 0.0)
        patient.hold(BANK, 1.0)
        short = other.add(BANK, 0.0)
        other.forget(BANK)
        if attempt == 8:
            assert long > short
