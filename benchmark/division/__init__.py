"""Division: the choice of the changes that a benchmark keeps, and of the change and subset of each problem."""
