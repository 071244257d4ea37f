"""Real servers that keep objects, started once a session for those who ask: SeaweedFS (S3) and Azurite (Azure)."""
