"""Sets that iterate in the order of the set they are a copy of.

The order of a set is that of its hash table: it depends on the size of the table, on what came first where two
elements want one place, and on elements that are gone. Hash values are equal on both sides, for one interpreter was
forked from the other; so the same elements, put in the same order into a table of the same size, stand in the same
places. The sender finds such a way and tries it; the receiver follows it. Where none is found the set arrives in
another order: elements whose hash is an address (objects that stay, nan), and a frozenset in a table that neither
`frozenset(items)` nor `frozenset(set)` makes.
"""

from __future__ import annotations

from _ctypes import Array, _SimpleCData

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Final

    Plan = tuple[int, list[Any], list[int]]  # slots of the table, elements as they are put in, slots blocked before

SMALL: Final = 8  # slots of the table that every set begins with
MAX_SLOTS_EACH: Final = 32  # of a table, for each element; the receiver pays for them
_EMPTY_SIZE: Final = set().__sizeof__()
_SLOT_SIZE: Final = 16
_CHUNK: Final = 1024  # elements put in by one call: the clock is looked at between two, however much they collide
_LINEAR_PROBES: Final = 9
_TABLE: Final = 16  # offset in a set of fill, used, mask and the table's address


class _Word(_SimpleCData):  # type: ignore[type-arg]  # generic for type checkers only
    _type_ = "l"


class _Blocker:
    """Takes up a slot while the elements that once found it taken are put in."""

    def __init__(self, slot: int):
        self.slot = slot

    def __hash__(self) -> int:
        return self.slot


class _Stopper(_Blocker):
    """Ends an update of a set when it is compared with the element of its own hash value."""

    armed = False

    def __eq__(self, other: object) -> bool:
        if self.armed:
            raise InterruptedError
        return False

    __hash__ = _Blocker.__hash__


def plan(value: Any) -> Plan | None:
    """Return how to build `value`, an exact set or frozenset, in its own order, or None where its items will do."""
    items = list(value)
    again = filled(items) if type(value) is set else frozenset(items)
    if value.__sizeof__() == again.__sizeof__() and list(again) == items:
        return None
    slots = _slots(value)
    if slots > MAX_SLOTS_EACH * len(items):
        return None
    for way in ((slots, items, []), _exact_way(value, slots)):
        if way is not None and list(build(type(value), *way)) == items:
            return way
    return None


def build(kind: type, slots: int, items: Sequence[Any], blocked: Sequence[int]) -> Any:
    """Return a `kind` (set or frozenset) of `items`, put in this order into a table of `slots` with some `blocked`.

    Raises ValueError where `slots` is no size of a table for as many elements, TypeError for one without a hash.
    """
    if slots & (slots - 1) or not SMALL <= slots <= MAX_SLOTS_EACH * len(items) or len(blocked) >= slots:
        raise ValueError("no size of a set's table")
    if kind is frozenset and (slots == SMALL or 2 * len(items) >= slots):
        return frozen(items)  # no set with so many elements can be copied into so small a table
    blockers = [_Blocker(slot) for slot in blocked]
    entries = [*blockers, *items]
    built = {entries[0]}
    if slots > SMALL:
        _widen(built, slots, hash(entries[0]))
    filled(entries, built)
    for blocker in blockers:
        built.discard(blocker)
    return built if kind is set else _frozen(built, slots)


def _frozen(built: set[Any], slots: int) -> frozenset[Any]:
    """Return `built` as a frozenset: its table has more than two slots for each element that is copied."""
    fillers = [_Blocker(slot) for slot in range(max(0, slots // 4 - len(built)))]
    built.update(fillers)
    return frozenset(built).difference(fillers) if fillers else frozenset(built)


def filled(items: Sequence[Any], into: set[Any] | None = None) -> set[Any]:
    """Return the set of `items`, put in one after the other."""
    built: set[Any] = set() if into is None else into
    for start in range(0, len(items), _CHUNK):
        built.update(items[start : start + _CHUNK])
    return built


def frozen(items: Sequence[Any]) -> frozenset[Any]:
    """Return the frozenset of `items`. The clock is looked at as often as it takes."""
    if len(items) > _CHUNK:
        filled(items)  # where they collide this takes as long, and can be interrupted
    return frozenset(items)


def _slots(value: Any) -> int:
    size: int = value.__sizeof__()
    return SMALL if size == _EMPTY_SIZE else (size - _EMPTY_SIZE) // _SLOT_SIZE


def _widen(built: set[Any], slots: int, first: int) -> None:
    """Give `built`, a set of one element with the hash value `first`, a table of `slots`.

    A set makes room for a whole dict before it takes its first key; here, that key ends the update.
    """
    stopper = _Stopper(first)
    keys: dict[Any, None] = {stopper: None}
    keys.update(dict.fromkeys(range(slots // 2 - 3)))
    stopper.armed = True
    try:
        built.update(keys)
    except InterruptedError:
        return


def _exact_way(value: Any, slots: int) -> Plan | None:
    """Return the order in which the elements of `value` took their places, read from its table."""
    if not _TABLE_IS_KNOWN:
        return None
    _, _, mask, address = _words(id(value) + _TABLE, 4)
    if mask + 1 != slots:
        return None
    words = _words(address, 2 * slots)
    by_address = {id(item): item for item in value}
    taken = {slot: by_address[words[2 * slot]] for slot in range(slots) if words[2 * slot] in by_address}
    if len(taken) != len(by_address):
        return None
    # Those in their first place need no other to be there: in a frozenset they come through smaller tables.
    at_home = {slot for slot in taken if words[2 * slot + 1] & mask == slot}
    order: list[Any] = [taken[slot] for slot in taken if slot in at_home]
    blocked: dict[int, None] = {}
    done: set[int] = set(at_home)
    opened: set[int] = set()
    pending = list(reversed(taken))
    while pending:
        slot = pending[-1]
        before = [place for place in _places_before(slot, words[2 * slot + 1], mask) if place not in done]
        if slot in opened or slot in done:
            pending.pop()
            if slot not in done:
                done.add(slot)
                order.append(taken[slot])
            continue
        opened.add(slot)
        blocked.update(dict.fromkeys(place for place in before if place not in taken))
        pending += [place for place in before if place in taken and place not in opened]
    return slots, order, list(blocked)


def _places_before(slot: int, hash_value: int, mask: int) -> Iterator[int]:
    """Yield the slots that were taken when an element with `hash_value` came to stand in `slot`."""
    perturbed = hash_value & (2**64 - 1)
    place = perturbed & mask
    for _ in range(mask + 64):
        for near in range(place, place + 1 + (_LINEAR_PROBES if place + _LINEAR_PROBES <= mask else 0)):
            if near == slot:
                return
            yield near
        perturbed >>= 5
        place = (place * 5 + 1 + perturbed) & mask


def _words(address: int, count: int) -> list[int]:
    kind: Any = type("Words", (Array,), {"_type_": _Word, "_length_": count})
    words: list[int] = kind.from_address(address)[:]
    return words


def _knows_the_table() -> bool:
    known = set(range(20))
    return _words(id(known) + _TABLE, 3) == [20, 20, _slots(known) - 1] and known.__sizeof__() == _EMPTY_SIZE + 128 * 16


_TABLE_IS_KNOWN: Final = _knows_the_table()
