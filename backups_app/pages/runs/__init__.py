"""The panel of a run: steps, headline, result."""
