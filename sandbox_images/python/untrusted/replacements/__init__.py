"""The replacements of a world: defined by shims or had by a library, counted, and counterfactual."""
