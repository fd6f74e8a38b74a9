"""The one error of this package."""


class ServerStartError(Exception):
    """A server did not start: one line that says what, where and what to do."""
