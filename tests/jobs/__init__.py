"""Jobs on every engine: SQLite, PostgreSQL, PostgreSQL with Redis, and with RabbitMQ. `make services` runs it."""
