"""The search for hyperparameters: trials, the study that is kept on disk, and blends."""
