"""Writers of a report: terminal, CSV, LaTeX, Markdown, JSON, and the folder of them all."""
