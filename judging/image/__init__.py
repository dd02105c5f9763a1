"""Sandbox images: the standard one, and those with a user's packages."""
