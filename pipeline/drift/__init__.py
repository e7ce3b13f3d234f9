"""Whether two tables differ by more than chance: tests, verdicts, data quality and Evidently's pages."""
