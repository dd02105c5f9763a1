"""tree-sitter reading of programs: uses of an API, and adoption labels."""
