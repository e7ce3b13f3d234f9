"""What single families of models need: early stopping, monotone constraints, networks."""
