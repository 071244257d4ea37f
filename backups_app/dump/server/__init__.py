"""What the server holds when a copy is made: its collections, their sizes and counts, one moment for all of them."""
