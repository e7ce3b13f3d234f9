"""The built-in datasets: each module has `ROWS` and `generate(n_rows, seed)`. Iris is real, the others synthetic."""
