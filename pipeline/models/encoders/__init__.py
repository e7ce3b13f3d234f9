"""Encoders of columns: what the fitted preprocessing makes of dates, texts and categories."""
