"""Tells people: who gets which message, and what it says."""
