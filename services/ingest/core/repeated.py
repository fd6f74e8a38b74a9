"""What stands where JSON had no one meaning."""


class RepeatedKey:
    """Stands for a JSON object in which a key was repeated."""

    def __init__(self, key: str) -> None:
        self.key = key
