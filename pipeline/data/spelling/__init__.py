"""How values are spelt in files, and how each spelling is read."""
