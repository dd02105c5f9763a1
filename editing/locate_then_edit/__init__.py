"""The steps that ROME, MEMIT and PMET share: locate, optimise a value, spread it, solve."""
