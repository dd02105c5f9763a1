"""Usage changes: APIs, their signatures, the designs of their replacements, and the shims."""
