"""Editing methods, model families, sampling, regimes and the tiny model. The only package that needs torch."""
