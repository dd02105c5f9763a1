"""Any set of APIs can be removed together: each of them is gone by all its plain spellings, and no other one is."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edittool.sandbox_images.python.untrusted.world import World

# Each API with expressions that come to the same value.
SPELLINGS = {
    "sorted": ("sorted([2, 1])", "__import__('builtins').sorted([2, 1])", "eval('sorted([2, 1])')"),
    "len": ("len('abc')", "getattr(__import__('builtins'), 'len')('abc')", "(lambda f: f('abc'))(len)"),
    "max": ("max(1, 2)", "__builtins__['max'](1, 2)", "vars(__import__('builtins'))['max'](1, 2)"),
    "abs": ("abs(-1)", "[abs(x) for x in [-1]][0]"),
    "int": ("int('3')", "__import__('io').__builtins__['int']('3')"),
    "list": ("list('ab')", "__import__('builtins').list('ab')", "__builtins__['list']('ab')"),
    "str.split": ("'a b'.split()", "str.split('a b')", "getattr('a b', 'split')()", "str.__dict__['split']('a b')"),
    "str.join": ("'-'.join(['a', 'b'])", "(lambda j: j(['a', 'b']))('-'.join)", "eval('\"-\".join')(['a', 'b'])"),
    "list.append": ("[].append(1)", "getattr([], 'append')(1)"),
    "dict.items": ("[*{1: 2}.items()]", "[*dict.items({1: 2})]", "[*vars(dict)['items']({1: 2})]"),
    "dict.get": ("{1: 2}.get(1)", "dict.get({1: 2}, 1)"),
    "math.floor": ("__import__('math').floor(1.5)", "__import__('random')._floor(1.5)"),
    "math.pi": ("__import__('math').pi", "__import__('math').__dict__['pi']"),
    "os.path.join": ("__import__('os').path.join('a', 'b')", "__import__('posixpath').join('a', 'b')"),
    "collections.deque": ("__import__('collections').deque([1])", "__import__('_collections').deque([1])"),
    "collections.Counter.most_common": (
        "__import__('collections').Counter('aab').most_common()",
        "__import__('collections').Counter.most_common(__import__('collections').Counter('aab'))",
    ),
    "functools.reduce": ("__import__('functools').reduce(max, [1, 2])", "__import__('_functools').reduce(max, [1, 2])"),
    "datetime.date.isoformat": ("__import__('datetime').date(2020, 1, 2).isoformat()",),
    "itertools.chain": ("[*__import__('itertools').chain([1], [2])]",),
    "re.sub": ("__import__('re').sub('a', 'b', 'a')", "__import__('sys').modules['re'].sub('a', 'b', 'a')"),
}
# Spellings that need another API too.
NEEDED = {"functools.reduce": {"max"}}
GONE = (NameError, AttributeError, KeyError, TypeError)

removed_sets = st.sets(st.sampled_from(sorted(SPELLINGS)), min_size=1)


def world_without(names: set[str]) -> World:
    shim = "def replacement():\n    pass\n"
    form = {"form": "synthetic", "replacement": "replacement", "adopt": [], "shim": shim, "old": ""}
    return World([{**form, "deprecated": name} for name in sorted(names)])


def evaluate(world: World, expression: str) -> Any:
    return eval(world.compile(expression, "<test>", "eval"), {"__builtins__": world.builtins})


@given(removed_sets)
def test_exactly_the_removed_ones_are_gone(removed: set[str]) -> None:
    world = world_without(removed)
    for name, expressions in SPELLINGS.items():
        if NEEDED.get(name, set()) & removed:
            continue
        for expression in expressions:
            if name not in removed:
                assert evaluate(world, expression) == eval(expression, {"__builtins__": vars(__import__("builtins"))})
                continue
            try:
                found = evaluate(world, expression)
            except GONE:
                continue
            raise AssertionError(f"{expression} is still {found!r} without {name}")
    assert world.bypasses == []


@given(removed_sets, st.data())
def test_an_import_fails_for_exactly_the_removed_ones(removed: set[str], data: st.DataObject) -> None:
    world = world_without(removed)
    functions = sorted(
        name for name in SPELLINGS if name.count(".") == 1 and name.partition(".")[0] not in {"str", "list", "dict"}
    )
    name = data.draw(st.sampled_from(functions))
    module, _, attribute = name.rpartition(".")
    namespace = {"__builtins__": world.builtins}
    program = world.compile(f"from {module} import {attribute} as found", "<test>", "exec")
    try:
        exec(program, namespace)
    except ImportError:
        assert name in removed
    else:
        assert name not in removed
        assert namespace["found"] is getattr(__import__(module), attribute)
