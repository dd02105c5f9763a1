"""Records and JSON Schemas of every file that crosses a step, and the reading and writing of those files."""
