"""docs/how-to/add-an-attack.md: the example on the page is a case of the hostile suite, which runs it."""

from .pages import REPOSITORY, steps


def test_the_example_is_a_case_of_the_suite() -> None:
    shown = {step.path: step.text for step in steps("add-an-attack.md")}
    assert len(shown) == 2
    assert shown == {path: (REPOSITORY / path).read_text(encoding="utf-8") for path in shown}
