"""What a server refuses and why, and what our user may do there."""
