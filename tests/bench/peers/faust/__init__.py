"""Faust (faust-streaming) doing the job; it runs in an environment of its own."""
