"""The blocks of params.yaml: the keys of each, what they may be, and which go together."""
