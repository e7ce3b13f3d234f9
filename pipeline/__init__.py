"""What two or more of the scripts must agree on: one module, one noun."""
