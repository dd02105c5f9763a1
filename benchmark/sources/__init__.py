"""Data sets: other people's problems, read as they are published."""
