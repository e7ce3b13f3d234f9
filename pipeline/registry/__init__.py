"""Registered versions of a model: what is promoted and why, the log of it, bundles and model cards."""
