"""When an output agrees with the expected one in EvalPlus. The source of this file goes into problems as `helpers`."""

# It runs in the sandbox, before the tests of every sample: no imports.

RELATIVE_TOLERANCE = 1e-7
FLOAT_TOLERANCE = 1e-6  # where a row allows none, for outputs that are floats: rounding is no mistake


def agrees(found: object, expected: object, tolerance: float = 0) -> bool:
    """Say whether the outputs are equal, or differ by no more than rounding where floats are expected."""
    if found == expected:
        return True
    if tolerance == 0 and _is_floats(expected):
        tolerance = FLOAT_TOLERANCE
    return tolerance != 0 and _is_close(found, expected, tolerance)


def same_members(found: object, expected: object) -> bool:
    """Say whether two collections have the same members, whatever their order."""
    return set(found) == set(expected)  # type: ignore[call-overload,no-any-return]


def says_the_same(found: object, expected: object) -> bool:
    """Say whether both say yes or both say no: a bool itself, anything else (a match of `re`) by not being None."""
    return _is_yes(found) == _is_yes(expected)


def _is_yes(value: object) -> bool:
    return value if isinstance(value, bool) else value is not None


def _is_floats(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(isinstance(item, float) for item in value)
    return isinstance(value, float)


def _is_close(found: object, expected: object, tolerance: float) -> bool:
    if isinstance(expected, list | tuple):
        if type(found) is not type(expected) or len(found) != len(expected):
            return False
        return all(_is_close(one, other, tolerance) for one, other in zip(found, expected, strict=True))
    if not isinstance(found, int | float | complex) or not isinstance(expected, int | float | complex):
        return False
    both_nan = found != found and expected != expected
    bound = tolerance + RELATIVE_TOLERANCE * abs(expected)
    return both_nan or found == expected or abs(found - expected) <= bound < float("inf")
