"""Shows the confusion matrix below the results of the tests, where everybody sees it."""

import pytest

MATRIX = pytest.StashKey[str]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if matrix := config.stash.get(MATRIX, None):
        terminalreporter.section("adoption labels")
        terminalreporter.write_line(matrix)
