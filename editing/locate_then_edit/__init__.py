"""The steps that ROME, MEMIT and its descendants share: locate, optimise a value, spread it, solve."""
