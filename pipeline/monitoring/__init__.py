"""Served rows against the rows that their model was trained on."""
