"""The judge's memory: the journal of one output, the cache of all."""
