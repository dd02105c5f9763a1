"""Usage changes: what an API is, how it is called, and how its replacement will be."""
