"""The proposal of a dataset's block for params.yaml, made from its table and the reasons given."""
