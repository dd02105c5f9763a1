"""Problems, API changes and benchmarks: importing, certifying, the built-in benchmark."""
