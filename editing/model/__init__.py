"""The model that is edited: families, loading, forward passes in parts, digests, memory."""
