"""What keeps the house: `python -m ops.NAME` behind make targets, and what those modules share."""
