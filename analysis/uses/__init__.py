"""Which APIs a program refers to, and where."""
