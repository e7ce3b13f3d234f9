"""A user's table: where it comes from, how it is read, typed and cleaned, its quality and its splits."""
