"""Edits as objects: made, undone, saved, combined, applied to a checkpoint."""
