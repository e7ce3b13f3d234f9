"""One dataset's learning problem, its candidates, their stored predictions, explanations and figures."""
