"""Types and constants that the runner needs when it runs, without the modules that name them.

Importing `types`, `typing`, `collections.abc` and `ast` takes longer than all of the runner, and every sample pays for
it. So annotations are never evaluated here, and names for them alone are imported under TYPE_CHECKING.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # type checkers take it for true

if TYPE_CHECKING:
    from types import CodeType as CodeType
    from types import ModuleType as ModuleType
    from typing import Final
else:
    ModuleType = type(sys)
    CodeType = type((lambda: 0).__code__)

PARSE_ONLY: Final = 0x0400  # ast.PyCF_ONLY_AST
