"""Login, password, sessions, people."""
