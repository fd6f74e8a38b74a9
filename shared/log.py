"""JSON lines to stdout: a constant event name, then figures with units."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from typing_extensions import override

_STANDARD: Final = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}


class JsonFormatter(logging.Formatter):
    """Render a record as one JSON object; payloads never go through here."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname,
            "service": self._service,
            "event": record.getMessage().strip(),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD:
                # A figure that is called like one of the line's own members yields.
                line.setdefault(name, value)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        text = json.dumps(line, ensure_ascii=False, default=str)
        # Half a character (a lone surrogate) has no UTF-8 and would lose the line.
        return text.encode(errors="backslashreplace").decode()


def configure_logging(service: str, level: str) -> None:
    """Send every log line of this process to stdout as JSON.

    Args:
        service: Name on every line, e.g. `ingest`.
        level: Lowest level shown, e.g. `INFO`.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # The client libraries repeat an outage many times a second; our own lines and
    # metrics say it once, with the back-off.
    for noisy in ("aiokafka", "kafka", "asyncio", "faststream"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
