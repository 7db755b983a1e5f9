"""Kills, faults and lost answers; after each, nothing may be lost and nothing may stand twice."""
