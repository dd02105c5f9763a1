"""The forms of API changes, and what a job says of one.

A *synthetic* change removes an API and gives the program a replacement of a bare name, which a shim defines. In a
*real* one the library has the replacement: nothing is given, its calls are counted, and the deprecated API is removed
where the library still has it. A change *in place* keeps the name: a shim, or what the library has by now, stands
there.

A job has for each change: "form"; "deprecated" and "replacement", which are equal in place; "adopt", dotted names whose
use counts as the replacement's; "shim", "" where there is none; "old", the parameters of the old signature, in place.
"""

from __future__ import annotations

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

SYNTHETIC: Final = "synthetic"
REAL: Final = "real"
IN_PLACE: Final = "in_place"
FORMS: Final = (SYNTHETIC, REAL, IN_PLACE)
