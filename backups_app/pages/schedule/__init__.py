"""Schedule & retention: what runs by itself, the month as a calendar, sizes and durations."""
