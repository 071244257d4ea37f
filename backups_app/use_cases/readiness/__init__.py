"""May a run start now, how the two servers are, and what the doctor says."""
