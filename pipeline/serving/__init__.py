"""What answers a request: the loaded version, its compiled form, the HTTP API and the inference log."""
