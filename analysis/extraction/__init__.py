"""From a model's answer to its program."""

from .extract import Extraction, Form, Kind, Mode, extract

__all__ = ["Extraction", "Form", "Kind", "Mode", "extract"]
