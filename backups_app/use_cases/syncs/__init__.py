"""A sync by itself, what is known of past ones, and the versions that they replaced."""
