"""Turns predictions into numbers: metrics, intervals, thresholds, gates and the one chooser."""
