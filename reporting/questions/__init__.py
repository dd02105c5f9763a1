"""The findings, and the four research questions, one file each, as tables."""
