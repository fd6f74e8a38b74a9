"""How examples are drawn: no example has a deadline."""

from hypothesis import settings

# A slow machine is no failure; the test's own time-out still holds.
settings.register_profile("uptake", deadline=None)
settings.load_profile("uptake")
