"""The pages that list the reports: one of all datasets, and one for each."""
