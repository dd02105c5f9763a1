"""The training of a few weights, or of adapters, on requests."""
