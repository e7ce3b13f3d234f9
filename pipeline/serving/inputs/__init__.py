"""Inputs of a model, each kind with the rule of its values in a request and in a table."""
