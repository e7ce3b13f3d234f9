"""The MLflow record of what the stages' files say; no stage decides by it."""
