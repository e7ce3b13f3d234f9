"""The ground of every room: params.yaml, paths, files, downloads, errors, workers, rounding."""
