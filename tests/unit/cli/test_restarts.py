"""When a service that ended is started again."""

from services.cli.restarts import RestartPolicy


def test_a_service_that_dies_now_and_then_is_always_started_again() -> None:
    """What happened more than a minute ago is forgotten."""
    policy = RestartPolicy()
    delays = [policy.admit(-9, at) for at in range(0, 1_000, 20)]
    assert None not in delays
    assert max(delay for delay in delays if delay is not None) < 1


def test_waits_grow_and_the_sixth_restart_in_a_minute_is_refused() -> None:
    """A service that cannot run does not keep the machine busy for ever."""
    policy = RestartPolicy()
    delays = [policy.admit(1, float(at)) for at in range(6)]
    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, None]


def test_bad_settings_are_not_tried_again() -> None:
    """Status 2 means that the next start would end the same way."""
    assert RestartPolicy().admit(2, 0.0) is None
