"""What a person reads: advice, charts and the comparison page."""
