"""A container that keeps what came out of it, and what makes one finding of it another."""

from collections.abc import Mapping
from typing import Any

from edittool.judging.verify.check import ObservedContainer
from edittool.judging.verify.promises import Check


class RecordingContainer(ObservedContainer):
    """A container that keeps what came out of it, in its class."""

    result: Mapping[str, Any] = {}
    engine: Mapping[str, Any] = {}

    def run(self, job: Mapping[str, Any], wall_seconds: float) -> dict[str, Any]:
        result = super().run(job, wall_seconds)
        type(self).result, type(self).engine = result, self.inspect()
        type(self).confinement = self.confinement
        return result


def broken(found: list[Check]) -> set[str]:
    return {check.promise for check in found if not check.kept}


def change(found: Mapping[str, Any], path: str, value: object) -> Mapping[str, Any]:
    """Return `found` with `value` at the dotted `path`."""
    name, _, rest = path.partition(".")
    return {**found, name: change(found[name], rest, value) if rest else value}
