"""The endpoints of schedules, and the shapes of their answers."""
