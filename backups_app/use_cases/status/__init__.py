"""Am I protected? From evidence to the card, the API, the command and metrics."""
