"""The MLflow store and its runs, one for each result in the stages' files; no stage reads it."""
