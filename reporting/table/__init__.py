"""Tables of a report: cells, their format, their layout."""
