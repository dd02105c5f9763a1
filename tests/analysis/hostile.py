"""Programs that a reader must come to the end of: deep, long, broken."""

N = 30_000
HOSTILE = {
    "brackets": "(" * N,
    "closers": ")" * N,
    "balanced": "(" * N + "len" + ")" * N,
    "attributes": "a" + ".b" * N,
    "attributes of a module": "import math\n" + "math" + ".b" * N,
    "calls": "len" + "()" * N,
    "nested calls": "len(" * N,
    "lambdas": "lambda: " * N,
    "sums": "1+" * N,
    "assignments": "a=" * N + "len",
    "aliases": "\n".join(f"f{i + 1} = f{i}" for i in range(N // 8)),
    "one name, many values": "x = math.a\n" * (N // 8) + "x.y\n" * (N // 8),
    "star imports": "".join(f"from m{i} import *\n" for i in range(N // 16)) + "sqrt\n" * (N // 8),
    "getattr": "getattr(" * N,
    "texts in texts": "eval('" * N,
    "texts": "eval('len(x)')\n" * (N // 8),
    "loops": "".join(f"for v{i + 1} in v{i}: pass\n" for i in range(N // 16)),
    "annotations": "def f(x: " + "list[" * N,
    "choices": "(" * (N // 8) + "x" + " if y else z)" * (N // 8),
    "other modules": "".join(f"import m{i}\nm{i}.X().y\n" for i in range(N // 16)),
    "functions in functions": "".join(" " * i + "def f():\n" for i in range(300)) + " " * 300 + "len(x)",
    "zeros": "\0" * N,
    "quotes": "'''" * N + '"' * N,
    "surrogates": "\udfff" * N,
}
