"""Who may read, and who was turned away."""

from services.board.guard.guard import DeniedError, Guard
from services.board.guard.readers import ReaderWatch

__all__ = ["DeniedError", "Guard", "ReaderWatch"]
