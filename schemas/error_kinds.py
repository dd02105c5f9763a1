"""What the kinds of an error in a verdict mean together."""

from typing import Final

# An API unresolved or ill-called: the program does not compile against the APIs of its world.
UNRESOLVED: Final = frozenset(
    {"missing_name", "missing_import", "missing_attribute", "bad_call", "missing_entry_point"}
)
