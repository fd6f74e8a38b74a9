"""Tests of pure code, without sockets."""
