"""Bodies of requests: reading, unpacking, taking apart, in bounded time and memory."""
