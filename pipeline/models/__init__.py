"""The model families, how one is fitted, and how it is stored without code that runs on loading."""
