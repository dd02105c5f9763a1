import importlib

import pytest

from edittool.analysis.known import (
    BASES,
    LOWERCASE_CLASSES,
    RETURNS,
    STAR_MODULES,
    TWINS,
    VALUES,
    canonical,
    is_class,
    result_type,
    star_names,
)


def real(path):
    owner, _, name = path.rpartition(".")
    if not owner:
        return getattr(importlib.import_module("builtins"), name)
    try:
        return getattr(importlib.import_module(owner), name)
    except ImportError:
        return getattr(real(owner), name)


@pytest.mark.parametrize("path", ["math.sqrt", "os.path", "len", "str.split", "re.sub", "Counter", "", "a.b"])
def test_no_class(path):
    assert not is_class(path)


@pytest.mark.parametrize("path", ["str", "range", "collections.Counter", "collections.deque", "numpy.Array"])
def test_class(path):
    assert is_class(path)


def test_tables_speak_of_real_things():
    assert all(isinstance(real(path), type) for path in LOWERCASE_CLASSES | BASES.keys())
    assert all(issubclass(real(path), real(base)) for path, bases in BASES.items() for base in bases)
    assert all(callable(real(path)) for path in RETURNS)
    assert all(type(real(path)) is real(kind) for path, kind in VALUES.items())


@pytest.mark.parametrize("module", sorted(STAR_MODULES - {"typing"}))
def test_every_lower_case_class_of_common_modules_is_listed(module):
    values = {name: real(f"{module}.{name}") for name in star_names(module)}
    classes = {name for name, value in values.items() if isinstance(value, type) and value.__name__ == name}
    own = {name for name in classes if values[name].__module__ in (module, f"_{module}") and name.islower()}
    listed = {name for name in own if is_class(f"{module}.{name}")}
    assert own == listed | {name for name in own if issubclass(values[name], Exception)}


@pytest.mark.parametrize("twin", [twin for twin in TWINS if twin not in ("__builtin__", "__builtins__")])
def test_twins_hold_the_same_objects(twin):
    here, there = importlib.import_module(twin), importlib.import_module(TWINS[twin])
    public = [name for name in dir(here) if not name.startswith("_")]
    assert any(getattr(here, name) is getattr(there, name, None) for name in public)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("builtins.len", "len"),
        ("posixpath.join", "os.path.join"),
        ("__builtins__.str.split", "str.split"),
        ("a.b", "a.b"),
    ],
)
def test_canonical(path, expected):
    assert canonical(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("print", None), ("type", None), ("super", None), ("max", None), ("str", "str"), ("sorted", "list")],
)
def test_result_type(path, expected):
    assert result_type(path) == expected


def test_star_names():
    assert {"sqrt", "pi"} <= star_names("math")
    assert star_names("antigravity") == frozenset()
