"""`connstat.toml` and the environment → connections, their secrets, databases to attach."""
