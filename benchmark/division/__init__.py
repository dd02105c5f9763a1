"""Division: which changes a benchmark keeps, and which problem stands where."""
