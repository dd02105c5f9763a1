"""Statistics: pass@k, groups of observations, intervals and tests."""
