"""Rewriting of programs: calls of a removed API become calls of its replacement."""
