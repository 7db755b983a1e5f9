"""Trains, measures and writes models; needs scikit-learn."""
