"""Stands before the real torch in a run of the pure tests, which need none; see tests/tiers.py."""

raise ImportError("torch is refused in a run of the pure tests: mark the test, or import torch where its file says so")
