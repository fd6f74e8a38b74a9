"""Reaching Kafka with every setting that decides about loss made explicit."""
