"""The sentences about the protection of the data: how good it is, what needs attention, what is kept, copies."""
