"""The audit trail: its rows, the chain that binds them, and what is on record without being an act."""
