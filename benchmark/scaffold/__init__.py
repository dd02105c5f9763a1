"""Files to begin a benchmark of an own library with: templates, and changes proposed from two versions of a package."""
