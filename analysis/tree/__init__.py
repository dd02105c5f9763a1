"""Programs as tree-sitter trees: queries, chains, scopes and the names they bind."""
