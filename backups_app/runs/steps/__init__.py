"""The steps, one module each, and what several of them share."""
