"""What the product says, by subject: each sentence once, with its code. `message.py` says how."""
