"""Texts of two tables: how their words are compared."""
