"""What commands print: progress, documents, a restore's preview."""
