"""Whether two tables differ by more than chance: tests, verdicts, quality, pages."""
