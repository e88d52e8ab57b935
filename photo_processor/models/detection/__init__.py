"""Finding and measuring faces."""
