"""Messages to people: channels, the outbox, what the worker does about both."""
