"""A user's own problems and changes."""
