"""Charts of a report, made from its tables, and drawn as SVG and PNG."""
