"""The board's doors over HTTP."""

from services.board.web.doors import BoardDoors, make_app

__all__ = ["BoardDoors", "make_app"]
