"""The public API of made-up packages, read from their source."""

import ast

import pytest

from edittool.benchmark.scaffold.public_api import read_public_api

from .sources import read


@pytest.mark.parametrize(
    ("source", "modules", "paths"),
    [
        ("def f(): pass\ndef _g(): pass\nX = 1\n", {}, {"lib.f", "lib.X"}),
        ("__all__ = ['f']\ndef f(): pass\ndef g(): pass\n", {}, {"lib.f"}),
        ("__all__ = ['f']\n__all__ += ['g']\ndef f(): pass\ndef g(): pass\n", {}, {"lib.f", "lib.g"}),
        ("__all__ = ['f']\n__all__.extend(a.__all__)\ndef f(): pass\ndef g(): pass\n", {}, {"lib.f", "lib.g"}),
        ("__all__ = names()\ndef f(): pass\n", {}, {"lib.f"}),
        ("from .a import f\nimport os\nfrom json import loads\n", {"a": "def f(): pass\n"}, {"lib.f", "lib.a.f"}),
        ("from ._a import f as g\n", {"_a": "def f(): pass\n"}, {"lib.g"}),
        ("from ._a import *\n", {"_a": "def f(): pass\ndef _g(): pass\n"}, {"lib.f"}),
        ("from . import a\n", {"a": "from .b import f\n", "b": "def f(): pass\n"}, {"lib.b.f"}),
        ("class A:\n def m(self): pass\n def _n(self): pass\nB = A\n", {}, {"lib.A", "lib.A.m", "lib.B", "lib.B.m"}),
        ("try:\n    f = int\nexcept E:\n    def f(): pass\n", {}, {"lib.f"}),
        ("from .a import f\n", {"a": "from . import f\n"}, set()),
        ("", {"tests__test_a": "def f(): pass\n", "a-b": "def f(): pass\n", "bad": "print 'x'\n"}, set()),
    ],
)
def test_what_is_public(source, modules, paths):
    assert set(read(source, **modules).by_path) == paths


@pytest.mark.parametrize(
    ("source", "path", "parameters"),
    [
        ("def f(a, *, b=1): pass", "lib.f", "a, *, b=1"),
        ("class A:\n def m(self, a): pass", "lib.A.m", "a"),
        ("class A:\n def m(self=None, a=1): pass", "lib.A.m", "a=1"),
        ("class A:\n @staticmethod\n def m(a): pass", "lib.A.m", "a"),
        ("class A:\n def __init__(self, a): pass\nclass B(A): pass", "lib.B", "a"),
        ("@odd\ndef f(a): pass", "lib.f", None),
        ("@dataclass\nclass A:\n a: int", "lib.A", None),
    ],
)
def test_parameters_as_a_caller_sees_them(source, path, parameters):
    found = read(source).by_path[path].parameters
    assert (found and ast.unparse(found)) == parameters


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def f():\n warnings.warn('Use g', DeprecationWarning)", "Use g"),
        ("def f():\n warnings.warn('Use g', category=FutureWarning)", "Use g"),
        ("def f(a):\n if a:\n  warnings.warn('a is old', DeprecationWarning)", None),
        ("def f():\n warnings.warn('beware', UserWarning)", None),
        ("@lib.deprecated('Use g')\ndef f(): pass", "Use g"),
        ("def f():\n '''Do.\n\n .. deprecated:: 2.0\n    Use g.\n\n More.\n '''", "Use g."),
        ("class f:\n def __init__(self):\n  warn('Use g', PendingDeprecationWarning)", "Use g"),
        ("def __getattr__(name):\n if name == 'f':\n  warnings.warn('Use g', DeprecationWarning)", None),
    ],
)
def test_what_is_called_deprecated(source, words):
    api = read(source).by_path["lib.f"]
    assert (api.deprecated and " ".join(api.deprecated.split())) == words


def test_modules_without_a_source_are_told_and_a_stub_speaks_for_them():
    files = {"lib/a.cpython-311-x86_64-linux-gnu.so": b"\x7fELF", "lib/b.so": b"", "lib/b.pyi": b"def f(a): ...\n"}
    api = read_public_api(files)
    assert api.compiled == ("lib.a",)
    assert set(api.by_path) == {"lib.b.f"}
    assert api.has("lib.a.anything")


@pytest.mark.parametrize(
    ("source", "path", "there"),
    [
        ("class A(dict): pass", "lib.A.keys", True),
        ("class A(dict): pass", "lib.A.lost", False),
        ("class A(other.Base): pass", "lib.A.any", True),
        ("from other import x", "lib.x", True),
        ("def __getattr__(name):\n return {'x': 1}[name]", "lib.x", True),
        ("def __getattr__(name):\n raise E", "lib.x", False),
    ],
)
def test_what_may_be_there(source, path, there):
    assert read(source).has(path) is there
