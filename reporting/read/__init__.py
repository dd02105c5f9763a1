"""Reading verdicts: files, settings, columns, failures."""
