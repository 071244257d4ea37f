"""Collections as structures: options and indexes, and how two of them differ."""
