"""Write the golden files of messages that have none yet.

`python -m tests.contract.write_golden`; what exists is never touched, because a
released version of a message does not change.
"""

import sys

from tests.contract.golden_messages import GOLDEN, messages


def main() -> None:
    """Write what is missing and name it."""
    for name, value in messages().items():
        path = GOLDEN / f"{name}.json"
        if not path.exists():
            path.write_bytes(value + b"\n")
            sys.stdout.write(f"wrote {path.name}\n")


if __name__ == "__main__":
    main()
