"""Delivers stored commands to services, and reconciles with what is there."""
