"""Trains the router on the team's own labels and corrections, and watches how it does."""
