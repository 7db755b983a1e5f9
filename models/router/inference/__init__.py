"""Loads a model and predicts with it; needs numpy alone."""
