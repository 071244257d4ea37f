"""What every endpoint uses: inputs, answers, errors, permissions, and the description for OpenAPI."""
