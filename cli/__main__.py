"""`python -m edittool.cli`: the same as the `edittool` command."""

from .main import main

main()
