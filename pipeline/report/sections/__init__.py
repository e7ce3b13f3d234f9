"""The sections of the comparison page: each a module with its figures, its HTML beside it."""
