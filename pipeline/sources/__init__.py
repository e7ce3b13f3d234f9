"""The built-in datasets, one module each: `ROWS` and `generate(n_rows, seed)`; iris is real, the other four are synthetic."""
