"""Signing in: proof of who one is, the login session behind it, tokens, and a limit on guessing."""
