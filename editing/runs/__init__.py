"""One run of `edittool edit`: what it plans, edits, samples and writes."""
