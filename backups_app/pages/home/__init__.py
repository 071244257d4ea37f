"""The home page: status card, buttons, confirmation."""
