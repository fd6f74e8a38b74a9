"""What schemathesis cannot send by itself."""

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")  # type: ignore[untyped-decorator] # it is not installed where types are checked
def write_lines(
    _: schemathesis.SerializationContext,
    value: Any,  # noqa: ANN401 -- whatever schemathesis makes up
) -> bytes:
    """Write a stream: a text as it is, anything else as one line of JSON."""
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode(errors="surrogatepass")
