"""What faces ask of backup runs: start, wait, cancel, resume, keep; one run for one Idempotency-Key."""
