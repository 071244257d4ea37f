"""What changed since the last sync: by the change stream, or by an exact scan of everything."""
