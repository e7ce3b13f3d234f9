"""The MLflow store and its runs, one for each result that the stages left in files; no stage decides by it."""
