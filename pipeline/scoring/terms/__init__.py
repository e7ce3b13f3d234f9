"""The terms that a user sets for the scores: what rows count, what decisions cost, own metrics."""
