"""Carries out what people decide, from Slack, comments and the command line."""
