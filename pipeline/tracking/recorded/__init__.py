"""What is recorded of each result: the runs of the stages, of a search, and of a pipeline."""
