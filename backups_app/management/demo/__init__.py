"""A small temple to try TempleOps with: its people, its data, and two MongoDB servers of our own."""
