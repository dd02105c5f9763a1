"""States: what a method has to know of its earlier edits in a model when it makes the next one.

AlphaEdit needs the keys that were written, UltraEdit the statistics of what was seen. Each edit brings its own state
into the model and takes it out again, so that no run and no edit of another model knows of it.
"""

from collections.abc import Callable, Mapping
from weakref import WeakKeyDictionary

from torch import Tensor, nn

State = Mapping[str, Tensor]

# By model: the method and state of each edit in it, the oldest first. Beside the models: a deep copy begins with none.
_states: WeakKeyDictionary[nn.Module, list[tuple[str, State]]] = WeakKeyDictionary()


def states_of(model: nn.Module, method: str) -> list[State]:
    """Return the states that the edits by `method` have brought into `model`, the oldest first."""
    return [state for owner, state in _states.get(model, []) if owner == method]


def bring(model: nn.Module, method: str, state: State) -> Callable[[], None]:
    """Let `model` have the `state` of its latest edit, and return what takes it out: the latest has to go first."""
    _states.setdefault(model, []).append((method, state))

    def take_out() -> None:
        left = _states[model].pop()
        assert left[1] is state, "states are taken out in reverse order"

    return take_out
