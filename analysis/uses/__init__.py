"""The APIs that a program refers to, with their places in it."""
