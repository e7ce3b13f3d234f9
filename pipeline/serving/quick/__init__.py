"""Estimators that are quick for a single row, each equal to the model's own to the last bit."""
