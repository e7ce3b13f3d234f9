"""Metrics, intervals, decision thresholds, gates and the one chooser: everything that turns predictions into numbers."""
