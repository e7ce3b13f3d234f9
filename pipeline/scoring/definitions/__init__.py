"""The definitions of the built-in metrics: what each is, and how it is computed."""
