"""The inference log: what served models were asked and answered, as it is written and read."""
