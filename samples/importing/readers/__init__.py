"""A reader for each shape: from a file to answers."""
