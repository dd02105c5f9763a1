"""The benchmarks that come with edittool, and the packages that their sandbox images have."""

from collections.abc import Callable
from dataclasses import dataclass

from ..schemas.bench import Bench
from .builtin import load_builtin
from .numpy2 import load_numpy2


@dataclass(frozen=True, slots=True)
class Shipped:
    """A benchmark that comes with edittool: how it is loaded, and what packages its images have.

    `old_packages` are those of the image in which the references of real changes pass.
    """

    load: Callable[[], Bench]
    packages: tuple[str, ...] = ()
    old_packages: tuple[str, ...] = ()


SHIPPED = {
    "builtin": Shipped(load_builtin),
    "numpy2": Shipped(load_numpy2, ("numpy==2.2.6",), ("numpy==1.26.4",)),
}
