"""Thinks about cases in child processes, and answers what their nodes ask."""
