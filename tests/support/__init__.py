"""What several tests share: projects, processes, servers and a browser."""
