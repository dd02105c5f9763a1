"""A change that tests put programs to: `sorted` takes its values by keyword alone, and an old call is refused."""

from edittool.schemas.changes import Change

SORTED = Change(
    "sorted",
    "sorted",
    "my_builtin_sorted",
    "keyword_only",
    "my_builtin_sorted(*, values)",
    "def my_builtin_sorted(*, values):\n    return sorted(values)\n",
    "Sort.",
    kind="builtin_function",
)
