"""The four research questions, one file each, as tables."""
