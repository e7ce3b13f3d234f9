"""The ground that every room stands on: params.yaml, where files lie and how they are written, errors, workers, rounding."""
