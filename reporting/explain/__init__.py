"""Explanations: why one sample got its verdict."""
