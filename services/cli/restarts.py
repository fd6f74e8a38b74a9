"""When a service that ended is started again, and when it is given up."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

RESTARTS_MAX: Final = 5
WINDOW_SECONDS: Final = 60.0
FIRST_DELAY_SECONDS: Final = 0.1
LONGEST_DELAY_SECONDS: Final = 5.0
# What `settings_from_command_line` ends with; starting again would change nothing.
BAD_SETTINGS_STATUS: Final = 2


@dataclass(slots=True)
class RestartPolicy:
    """Remembers the restarts of the last minute; at most a few are allowed."""

    _restarted_at: deque[float] = field(
        default_factory=lambda: deque(maxlen=RESTARTS_MAX)
    )

    def admit(self, status: int, now_seconds: float) -> float | None:
        """Decide about a service that ended.

        Args:
            status: Exit status; negative for a signal.
            now_seconds: A clock that never goes back.

        Returns:
            Seconds to wait before the restart, growing with each restart within the
            minute; None to give up.
        """
        if status == BAD_SETTINGS_STATUS:
            return None
        while self._restarted_at and (
            now_seconds - self._restarted_at[0] > WINDOW_SECONDS
        ):
            self._restarted_at.popleft()
        recent = len(self._restarted_at)
        if recent >= RESTARTS_MAX:
            return None
        self._restarted_at.append(now_seconds)
        return min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * (1 << recent))
