"""Metrics and health of a running process."""
