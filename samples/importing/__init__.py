"""Samples as people publish them, read into rows of samples.jsonl."""

from .recognise import Recognised, recognise
from .shapes import SHAPE_NAMES, ShapeName

__all__ = ["SHAPE_NAMES", "Recognised", "ShapeName", "recognise"]
