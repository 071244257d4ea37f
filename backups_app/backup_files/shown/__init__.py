"""Documents as text: Extended JSON, whole, piece by piece, or shortened."""
