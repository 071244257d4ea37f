"""What is known and allowed of a request before anybody looks at what it asks for."""
