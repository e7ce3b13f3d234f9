"""Registered versions of models: their files and cards, what is promoted and why, and its log."""
