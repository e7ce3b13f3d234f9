"""What keeps the house: each module runs as `python -m ops.NAME` and has a make target."""
