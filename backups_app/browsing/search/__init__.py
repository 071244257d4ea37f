"""Search in one collection, in all of a backup, and in every backup."""
