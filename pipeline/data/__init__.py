"""A user's table: its source, how it is read, typed and cleaned, its quality and its splits."""
