"""The public API of a package, read from its source: nothing of it is imported or run.

A name is public where its dotted path has no part that begins with an underscore, and its module names it in
`__all__`, defines it, or, being a package, imports it from another place in the same distribution.
"""

import ast
import builtins
import inspect
import keyword
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from ..python_source import NotPythonError, parse_python
from .markers import deprecated_by_getattr, deprecation, is_marker, last_name

Kind = Literal["function", "class", "method", "constant"]
_SET_ASIDE = frozenset({"tests", "test", "conftest", "setup", "_vendor"})  # shipped, and no API
_KEEP_THE_CALL = frozenset(
    "abstractmethod cache classmethod contextmanager final lru_cache overload override staticmethod wraps".split()
)
_HARMLESS_BASES = frozenset({"object", "ABC", "Generic", "Protocol"})  # they bring no public method
_DEEPEST = 50  # of imports and bases that lead on to others
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Api:
    """Something public: `path` is the shortest one that leads to it, `paths` are all, `home` is where it is defined."""

    path: str
    paths: tuple[str, ...]
    home: str
    kind: Kind
    parameters: ast.arguments | None = None  # as a caller sees them; None where they cannot be read
    deprecated: str | None = None  # the words

    @property
    def name(self) -> str:
        """Return the last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def place(self) -> str:
        """Return the path of the class or module that it stands in."""
        return self.path.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class PublicApi:
    """What a version of a package offers, by every public path."""

    by_path: Mapping[str, Api]
    compiled: tuple[str, ...]  # modules without a source
    _source: "_Source"

    @property
    def apis(self) -> list[Api]:
        """Return each API once."""
        return [api for path, api in self.by_path.items() if path == api.path]

    def has(self, path: str) -> bool:
        """Say whether a program may still find something at `path`: public or not, and where one cannot know."""
        return self._source.may_have(path)


def read_public_api(files: Mapping[str, bytes]) -> PublicApi:
    """Return the public API of the distribution whose files these are. What is no Python is passed over."""
    source = _Source(files)
    found: dict[str, tuple[list[str], _Item]] = {}
    for module in source.modules.values():
        if _is_public(module.name):
            for name in source.public_names(module):
                for path, item in source.reach(f"{module.name}.{name}", source.find(module, name)):
                    found.setdefault(item.home, ([], item))[0].append(path)
    by_path: dict[str, Api] = {}
    for paths, item in found.values():
        ordered = sorted(set(paths), key=lambda path: (path.count("."), not _ends_as(path, item), path))
        api = Api(ordered[0], tuple(ordered), item.home, item.kind, item.parameters, item.deprecated)
        by_path |= dict.fromkeys(ordered, api)
    return PublicApi(dict(sorted(by_path.items())), source.compiled(), source)


def _ends_as(path: str, item: "_Item") -> bool:
    own = item.home.split(".")
    return path.split(".")[-2:] == own[-2:] if item.kind == "method" else path.split(".")[-1] == own[-1]


def _is_public(path: str) -> bool:
    return not any(part.startswith("_") for part in path.split("."))


# Modules and what stands in them


@dataclass(frozen=True, slots=True)
class _Import:
    module: str
    name: str  # "" for the module itself


@dataclass(frozen=True, slots=True)
class _Here:
    node: ast.AST


@dataclass(slots=True)
class _Module:
    name: str
    is_package: bool
    tree: ast.Module
    bound: dict[str, _Import | _Here] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    exported: list[str] | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    """A definition: its module, its name there with that of its class, and its syntax."""

    home: str
    module: _Module
    node: ast.AST
    kind: Kind
    parameters: ast.arguments | None = None
    deprecated: str | None = None


class _Source:
    """The modules of a distribution, and what a name in one of them stands for."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.modules: dict[str, _Module] = {}
        self._binary: set[str] = set()
        for path in sorted(files, key=lambda path: (path.endswith(".pyi"), path)):  # a stub speaks where no source does
            name = _module_name(PurePosixPath(path))
            if name is None or name in self.modules:
                continue
            if path.endswith((".so", ".pyd")):
                self._binary.add(name)
            elif (tree := _parse(files[path])) is not None:
                module = _Module(name, PurePosixPath(path).stem == "__init__", tree)
                _bind(module)
                self.modules[name] = module

    def compiled(self) -> tuple[str, ...]:
        """Return the modules that have neither a source nor a stub."""
        return tuple(sorted(self._binary - self.modules.keys()))

    def public_names(self, module: _Module, depth: int = 0) -> list[str]:
        """Return the names that `module` offers."""
        names = module.exported
        if names is None:
            names = [name for name, bound in module.bound.items() if self._is_offered(module, name, bound)]
            if module.is_package and depth < _DEEPEST:
                for star in (self.modules[star] for star in module.stars if star in self.modules):
                    names += self.public_names(star, depth + 1)
        return [name for name in dict.fromkeys(names) if not name.startswith("_")]

    def _is_offered(self, module: _Module, name: str, bound: _Import | _Here) -> bool:
        if isinstance(bound, _Here):
            return True
        ours = bound.module in self.modules and bound.name != ""
        return ours and module.is_package and f"{bound.module}.{bound.name}" not in self.modules

    def find(self, module: _Module, name: str, depth: int = 0) -> _Item | None:
        """Return the definition that `name` leads to from `module`; None for modules and for what others define."""
        if depth > _DEEPEST:
            return None
        bound = module.bound.get(name)
        if isinstance(bound, _Here):
            return self._definition(module, name, bound.node, depth)
        if isinstance(bound, _Import):
            target = self.modules.get(bound.module)
            return self.find(target, bound.name, depth + 1) if target is not None and bound.name else None
        for star in module.stars:
            if star in self.modules and (found := self.find(self.modules[star], name, depth + 1)):
                return found
        return None

    def _definition(self, module: _Module, name: str, node: ast.AST, depth: int) -> _Item | None:
        home = f"{module.name}.{name}"
        if isinstance(node, Function):
            return _Item(home, module, node, "function", _parameters(node), deprecation(node))
        if isinstance(node, ast.ClassDef):
            return _Item(home, module, node, "class", self._to_make(module, node), deprecation(node))
        value = getattr(node, "value", None)
        if isinstance(value, ast.Name | ast.Attribute) and (other := self._evaluate(module, value, depth + 1)):
            return other
        match value:
            case ast.Call(func=called, args=[ast.Name() | ast.Attribute() as first]) if is_marker(called):
                if other := self._evaluate(module, first, depth + 1):  # f = deprecated(other.f)
                    return _Item(home, module, node, other.kind, other.parameters, "")
        return _Item(home, module, node, "constant")

    def _evaluate(self, module: _Module, value: ast.expr, depth: int) -> _Item | None:
        """Return what an expression of names stands for: `Version`, `version.Version`, `Version.parse`."""
        if isinstance(value, ast.Name):
            return self.find(module, value.id, depth + 1)
        if not isinstance(value, ast.Attribute) or depth > _DEEPEST:
            return None
        if isinstance(value.value, ast.Name) and isinstance(bound := module.bound.get(value.value.id), _Import):
            target = self.modules.get(f"{bound.module}.{bound.name}" if bound.name else bound.module)
            if target is not None:
                return self.find(target, value.attr, depth + 1)
        outer = self._evaluate(module, value.value, depth + 1)
        return self.members(outer).get(value.attr) if outer is not None else None

    # Classes

    def reach(self, path: str, item: _Item | None) -> Iterator[tuple[str, _Item]]:
        """Yield `item` and its public members, each with the path that leads there by `path`."""
        if item is None:
            return
        yield path, item
        for name, member in self.members(item).items():
            if not name.startswith("_"):
                yield f"{path}.{name}", member

    def members(self, item: _Item) -> dict[str, _Item]:
        """Return what a class itself defines."""
        if not isinstance(item.node, ast.ClassDef):
            return {}
        found: dict[str, _Item] = {}
        for name, node in _bindings(item.node.body):
            home = f"{item.home}.{name}"
            if isinstance(node, Function) and not _is_property(node):
                found[name] = _Item(home, item.module, node, "method", _parameters(node, item.node), deprecation(node))
            elif isinstance(value := getattr(node, "value", None), ast.Name) and value.id in found:
                found[name] = found[value.id]
            elif not isinstance(node, ast.ClassDef):
                said = deprecation(node) if isinstance(node, Function) else None
                found[name] = _Item(home, item.module, node, "constant", deprecated=said)
        return found

    def _bases(self, module: _Module, node: ast.ClassDef) -> Iterator[_Item | str]:
        """Yield each base: its definition, or the last name of one that another distribution defines."""
        for base in node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            found = self._evaluate(module, plain, 0)
            yield found if found is not None and found.kind == "class" else last_name(plain)

    def inherits(self, item: _Item, name: str, depth: int = 0) -> bool:
        """Say whether the class has a member `name`, of its own or of a base; a base that cannot be read has all."""
        node = item.node
        if not isinstance(node, ast.ClassDef) or depth > _DEEPEST:
            return True
        own = {bound for bound, _ in _bindings(node.body)}
        if name in own or "__getattr__" in own or _sets_attribute(node, name):
            return True
        for base in self._bases(item.module, node):
            if isinstance(base, str):
                builtin = getattr(builtins, base, None)
                known = isinstance(builtin, type)
                if base not in _HARMLESS_BASES and (not known or hasattr(builtin, name)):
                    return True
            elif self.inherits(base, name, depth + 1):
                return True
        return False

    def _to_make(self, module: _Module, node: ast.ClassDef, depth: int = 0) -> ast.arguments | None:
        """Return the parameters of the constructor; None where the class does not say them."""
        if depth > _DEEPEST or node.decorator_list or node.keywords:  # a dataclass, a metaclass
            return None
        methods = {part.name: part for part in node.body if isinstance(part, Function)}
        if "__new__" in methods:
            return None if "__init__" in methods else _parameters(methods["__new__"], node)
        if "__init__" in methods:
            return _parameters(methods["__init__"], node)
        bases = list(self._bases(module, node))
        first = bases[0] if bases else None
        if isinstance(first, _Item) and isinstance(first.node, ast.ClassDef):
            return self._to_make(first.module, first.node, depth + 1)
        return None

    # What may be there

    def may_have(self, path: str) -> bool:
        """Say whether something may stand at `path`."""
        parts = path.split(".")
        for length in range(len(parts), 0, -1):
            name = ".".join(parts[:length])
            if name in self.modules:
                return self._module_may_have(self.modules[name], parts[length:])
            if name in self._binary:
                return True
        return False

    def _module_may_have(self, module: _Module, rest: Sequence[str], depth: int = 0) -> bool:
        if not rest or depth > _DEEPEST:
            return True
        name = rest[0]
        bound = module.bound.get(name)
        if isinstance(bound, _Import):
            whole = f"{bound.module}.{bound.name}" if bound.name else bound.module
            if whole in self.modules:
                return self._module_may_have(self.modules[whole], rest[1:], depth + 1)
            target = self.modules.get(bound.module)
            return target is None or self._module_may_have(target, [bound.name, *rest[1:]], depth + 1)
        if bound is not None:
            item = self.find(module, name)
            return len(rest) == 1 or item is None or self.inherits(item, rest[1])
        stars = (self.modules.get(star) for star in module.stars)
        if any(star is None or self._module_may_have(star, rest, depth + 1) for star in stars):
            return True
        return "__getattr__" in module.bound and _speaks_of(module.tree, name)


def _speaks_of(tree: ast.AST, name: str) -> bool:
    return any(isinstance(node, ast.Constant) and node.value == name for node in ast.walk(tree))


def _sets_attribute(node: ast.ClassDef, name: str) -> bool:
    attributes = (part for part in ast.walk(node) if isinstance(part, ast.Attribute) and part.attr == name)
    return any(isinstance(part.ctx, ast.Store) and last_name(part.value) == "self" for part in attributes)


def _module_name(path: PurePosixPath) -> str | None:
    """Return the dotted name of a module's file; None for other files, and for what is no API."""
    if path.suffix not in (".py", ".pyi", ".so", ".pyd"):
        return None
    last = inspect.getmodulename(path.name) if path.suffix != ".pyi" else path.stem
    parts = [*path.parent.parts, *([] if last in (None, "__init__") else [str(last)])]
    if not parts or _SET_ASIDE.intersection(parts) or not all(map(_is_name, parts)):
        return None
    return ".".join(parts)


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text) and unicodedata.normalize("NFKC", text) == text


def _parse(content: bytes) -> ast.Module | None:
    try:
        return parse_python(content.decode("utf-8-sig"))
    except (NotPythonError, ValueError):
        return None


# Names that statements bind


def _bind(module: _Module) -> None:
    for name, node in _bindings(module.tree.body):
        module.bound[name] = _Here(node)
    for statement in _statements(module.tree.body):
        if isinstance(statement, ast.ImportFrom):
            _bind_import_from(module, statement)
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                name = alias.asname or alias.name.partition(".")[0]
                module.bound[name] = _Import(alias.name if alias.asname else name, "")
    for name, said in deprecated_by_getattr(module.tree):
        module.bound.setdefault(name, _Here(ast.Constant(said)))
    module.exported = _exported(module.tree.body)


def _bind_import_from(module: _Module, statement: ast.ImportFrom) -> None:
    base = module.name.split(".")
    if statement.level:
        up = statement.level - module.is_package
        base = base[: len(base) - up] if up else base
    else:
        base = []
    origin = ".".join([*base, *([statement.module] if statement.module else [])])
    for alias in statement.names:
        if alias.name == "*":
            module.stars.append(origin)
        else:
            module.bound.setdefault(alias.asname or alias.name, _Import(origin, alias.name))


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run where `body` does; those that only a type checker reads are none of them."""
    waiting = [*reversed(body)]
    while waiting:
        statement = waiting.pop()
        yield statement
        match statement:
            case ast.If(test=test, body=then, orelse=otherwise):
                inner = [*([] if last_name(test) == "TYPE_CHECKING" else then), *otherwise]
            case ast.Try(body=then, handlers=handlers, orelse=otherwise, finalbody=last):
                caught = [part for handler in handlers for part in handler.body]
                inner = [*caught, *then, *otherwise, *last]  # what was tried first counts
            case ast.With(body=inner):
                pass
            case _:
                continue
        waiting += reversed(inner)


def _bindings(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.AST]]:
    """Yield each name that definitions and assignments bind, with the node; of an overloaded function the last."""
    for statement in _statements(body):
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, statement
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from ((node.id, statement) for node in ast.walk(target) if isinstance(node, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name, statement


def _exported(body: Sequence[ast.stmt]) -> list[str] | None:
    """Return what `__all__` holds; None where there is none, or none that can be read."""
    names: list[str] | None = None
    for statement in _statements(body):
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value)
            ):
                names = _strings(value)
                if names is None:
                    return None
            case ast.AugAssign(target=ast.Name(id="__all__"), value=value):
                more = _strings(value)
                if names is None or more is None:
                    return None
                names = [*names, *more]
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="__all__")))):
                return None  # it is extended by what others hold
    return None if names is None else [name for name in names if _is_name(name)]


def _strings(value: ast.expr) -> list[str] | None:
    if not isinstance(value, ast.List | ast.Tuple):
        return None
    texts = [part.value for part in value.elts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return texts if len(texts) == len(value.elts) else None


# Functions


def _is_property(node: Function) -> bool:
    return any("property" in last_name(each) or (isinstance(each, ast.Attribute) and each.attr in ("setter", "deleter"))
               for each in node.decorator_list)  # fmt: skip


def _parameters(node: Function, owner: ast.ClassDef | None = None) -> ast.arguments | None:
    """Return the parameters as a caller sees them; None where a decorator may change them."""
    names = [last_name(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list]
    if "overload" in names or any(name not in _KEEP_THE_CALL and "deprecated" not in name.lower() for name in names):
        return None
    if owner is None or ("staticmethod" in names and node.name != "__new__"):
        return node.args
    return _without_first(node.args)


def _without_first(arguments: ast.arguments) -> ast.arguments:
    positional = [*arguments.posonlyargs, *arguments.args]
    if not positional:
        return arguments
    several = bool(arguments.posonlyargs)
    left = len(positional) - 1
    return ast.arguments(
        posonlyargs=arguments.posonlyargs[1:],
        args=arguments.args if several else arguments.args[1:],
        vararg=arguments.vararg,
        kwonlyargs=arguments.kwonlyargs,
        kw_defaults=arguments.kw_defaults,
        kwarg=arguments.kwarg,
        defaults=arguments.defaults[max(0, len(arguments.defaults) - left) :],
    )
