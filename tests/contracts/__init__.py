"""Checks against the services' own published specifications."""
