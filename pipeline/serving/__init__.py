"""What answers a request: the loaded version, its compiled form and the HTTP API."""
