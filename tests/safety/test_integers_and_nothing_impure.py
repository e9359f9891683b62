"""The safety code, read as text: whole numbers only, no clock, no I/O, nothing that may not end.

What is banned is planted as well, ban by ban, and has to be found.
"""

import ast
import importlib
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from pathlib import Path

import pytest

SAFETY = Path(__file__).parents[2] / "safety"
MODULES = sorted(SAFETY.glob("*.py"))
MAY_IMPORT = {"dataclasses", "enum", "typing", "safety"}
INEXACT = {"float", "complex", "round", "divmod", "pow", "inf", "nan", "as_integer_ratio"}
IMPURE = {
    "open", "print", "input", "exec", "eval", "compile", "__import__", "globals", "locals", "vars", "setattr",
    "delattr", "hash", "now", "time", "clock", "random", "monotonic", "sleep", "environ", "getenv", "today", "logging",
    "getLogger", "warn", "breakpoint", "exit",
}  # fmt: skip
WITHOUT_END = {"iter", "next", "cycle", "repeat"}
CHANGING = {"append", "extend", "insert", "update", "setdefault", "pop", "popitem", "clear", "remove", "add", "sort"}
Tree = ast.Module


def found(tree: ast.AST, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in ast.walk(tree) if isinstance(node, kinds))


def said(nodes) -> list[str]:
    return [ast.unparse(node) for node in nodes]


def names(tree: ast.AST) -> set[str]:
    plain = {node.id for node in found(tree, ast.Name)}
    return plain | {node.attr for node in found(tree, ast.Attribute) if not node.attr.startswith("__")}


def foreign_imports(tree: Tree) -> list[str]:
    modules = [name.name for node in found(tree, ast.Import) for name in node.names]
    modules += [node.module or "." for node in found(tree, ast.ImportFrom)]
    return [module for module in modules if module.split(".")[0] not in MAY_IMPORT]


def floats(tree: Tree) -> list[str]:
    literals = [node for node in found(tree, ast.Constant) if isinstance(node.value, float | complex)]
    inexact = [node for node in found(tree, ast.BinOp, ast.AugAssign) if isinstance(node.op, ast.Div | ast.Pow)]
    formats = [
        node
        for node in found(tree, ast.FormattedValue)
        if node.format_spec is not None and ast.unparse(node.format_spec).rstrip("'\"")[-1:] in "eEfFgG%"
    ]
    return said([*literals, *inexact, *formats]) + sorted(names(tree) & INEXACT)


def impurities(tree: Tree) -> list[str]:
    return sorted(names(tree) & IMPURE) + said(found(tree, ast.With, ast.AsyncWith))


def endless(tree: Tree) -> list[str]:
    """A `while`, or a `for` over what need not end: tables and fields do, where they do not grow meanwhile."""
    loops = [*found(tree, ast.For), *found(tree, ast.comprehension)]
    over_a_call = [
        loop.iter
        for loop in loops
        if isinstance(loop.iter, ast.Call)
        and not (isinstance(loop.iter.func, ast.Name) and loop.iter.func.id.startswith("_"))
    ]
    growing = [
        node
        for loop in found(tree, ast.For)
        for node in found(loop, ast.Call)
        if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING
    ]
    suspended = found(tree, ast.While, ast.AsyncFunctionDef, ast.AsyncFor, ast.Await, ast.Yield, ast.YieldFrom)
    return said([*suspended, *over_a_call, *growing]) + sorted(names(tree) & WITHOUT_END)


def kept_state(tree: Tree) -> list[str]:
    """What one call could leave behind for the next: a changed module, table, default or field."""
    modules_own = {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in found(statement, ast.Name)
        if isinstance(target.ctx, ast.Store)
    }
    changed = [
        node.func
        for node in found(tree, ast.Call)
        if isinstance(node.func, ast.Attribute)
        and node.func.attr in CHANGING
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id not in modules_own)
    ]
    stored = [
        node
        for node in found(tree, ast.Subscript, ast.Attribute)
        if isinstance(node.ctx, ast.Store | ast.Del) and not in_a_constructor(tree, node)
    ]
    defaults = [
        default
        for function in found(tree, ast.FunctionDef, ast.Lambda)
        for default in (*function.args.defaults, *function.args.kw_defaults)
        if isinstance(default, ast.List | ast.Dict | ast.Set | ast.Call)
    ]
    return said([*found(tree, ast.Global, ast.Nonlocal, ast.Delete), *changed, *stored, *defaults])


def in_a_constructor(tree: Tree, node: ast.AST) -> bool:
    constructors = [function for function in found(tree, ast.FunctionDef) if function.name == "__init__"]
    is_own = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"
    return is_own and any(node is inner for constructor in constructors for inner in ast.walk(constructor))


def caught_or_thrown(tree: Tree) -> list[str]:
    """A `try` hides a fault, an `assert` stops the table's last defence."""
    return said(found(tree, ast.Try, ast.TryStar, ast.Assert))


def recursions(*trees: Tree) -> list[str]:
    """Every function that leads back to itself, by whatever it mentions: calls, tables of functions, other modules."""
    mentions: dict[str, set[str]] = {}
    for tree in trees:
        for name, node in defined(tree):
            mentions.setdefault(name, set()).update(mentioned(node))
    return sorted(name for name in mentions if name in reached(mentions, name))


def defined(tree: Tree) -> Iterator[tuple[str, ast.AST]]:
    """Functions and methods, and the module's tables, through which one may be called as well."""
    yield from ((function.name, function) for function in found(tree, ast.FunctionDef))
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from ((name.id, statement.value) for target in targets for name in found(target, ast.Name))


def mentioned(node: ast.AST) -> set[str]:
    own = {argument.arg for argument in found(node, ast.arg)}  # an argument is not the function of the same name
    plain = {name.id for name in found(node, ast.Name) if isinstance(name.ctx, ast.Load)} - own
    called = {call.func.attr for call in found(node, ast.Call) if isinstance(call.func, ast.Attribute)}
    return plain | called


def reached(mentions: dict[str, set[str]], name: str) -> set[str]:
    before: set[str] = set()
    ahead = list(mentions[name])
    while ahead:
        called = ahead.pop()
        if called in mentions and called not in before:
            before.add(called)
            ahead += mentions[called]
    return before


BANS: dict[str, Callable[[Tree], list[str]]] = {
    "foreign imports": foreign_imports,
    "floats": floats,
    "impurities": impurities,
    "loops without an end": endless,
    "state between calls": kept_state,
    "caught or thrown": caught_or_thrown,
    "recursion": recursions,
}
PLANTED: dict[str, tuple[str, ...]] = {
    "foreign imports": ("import math", "from time import monotonic", "import os.path", "from . import limits"),
    "floats": (
        "half = 0.5", "half = 1 / 2", "one = 1\none /= 2", "root = 2 ** half", "one = float(1)", "one = round(1)",
        "two = complex(1, 1)", "x = 1j", "text = f'{1:.1f}'", "text = f'{1:%}'", "x = divmod(3, 2)",
    ),
    "impurities": (
        "print(1)", "open('x')", "x = time.monotonic()", "x = clock()", "x = random()", "logging.info('x')",
        "x = environ['A']", "exec('x')", "with lock: pass", "x = __import__('os')", "setattr(x, 'a', 1)",
        "x = datetime.now()", "x = hash('a')",
    ),
    "loops without an end": (
        "while True: pass", "for _ in iter(int, 1): pass", "for x in count(): pass", "for x in items: items.append(x)",
        "x = [y for y in forever()]", "def f():\n    yield 1", "async def f(): pass", "x = next(y)",
    ),
    "state between calls": (
        "def f():\n    global x\n    x = 1", "def f():\n    def g():\n        nonlocal x",
        "SEEN = []\ndef f(x): SEEN.append(x)",
        "SEEN = {}\ndef f(x): SEEN[x] = 1", "def f(x, seen=[]): pass", "def f(x, seen=dict()): pass",
        "def f(x): x.last = 1", "del x", "def f(x): limits.SEEN.update(x)", "def f(x): x.y += 1",
    ),
    "caught or thrown": ("try: x\nexcept Exception: pass", "assert x"),
    "recursion": (
        "def f(): return f()", "def f(): return g()\ndef g(): return f()", "class A:\n    def f(self): return self.f()",
        "def f(): return TABLE[0]()\nTABLE = (f,)", "f = lambda: f()",
    ),
}  # fmt: skip


def parsed(path: Path) -> Tree:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_all_of_it_is_looked_at() -> None:
    assert {"limiter.py", "plausibility.py", "interlock.py", "limits.py", "alarms.py"} <= {
        path.name for path in MODULES
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
@pytest.mark.parametrize("ban", BANS)
def test_nothing_that_is_banned_is_in_it(ban, path) -> None:
    assert BANS[ban](parsed(path)) == []


@pytest.mark.parametrize(
    ("ban", "code"), [(ban, code) for ban, codes in PLANTED.items() for code in codes], ids=lambda text: text
)
def test_what_is_banned_is_found_where_it_is_planted(ban, code) -> None:
    assert BANS[ban](ast.parse(code)) != []


def test_every_ban_is_planted() -> None:
    assert set(PLANTED) == set(BANS)


def test_no_function_calls_itself_by_any_way_round_the_modules() -> None:
    trees = [parsed(path) for path in MODULES]

    assert sum(1 for tree in trees for _function in found(tree, ast.FunctionDef)) > 40
    assert recursions(*trees) == []


def test_only_a_permit_that_is_misused_raises() -> None:
    raising = {(path.name, node.exc.func.id) for path in MODULES for node in found(parsed(path), ast.Raise)}

    assert raising == {("limiter.py", "TypeError"), ("limiter.py", "AttributeError")}


def test_only_a_permit_goes_past_what_is_frozen() -> None:
    past = {
        (path.name, function.name)
        for path in MODULES
        for function in found(parsed(path), ast.FunctionDef)
        for node in found(function, ast.Attribute)
        if node.attr in {"__setattr__", "__delattr__", "__dict__", "__globals__"}
    }

    assert past == {("limiter.py", "__init__"), ("limiter.py", "spend")}


def test_no_value_can_be_changed_once_it_was_judged() -> None:
    """Frozen, so that nobody sets a field; slotted, so that nobody hangs another one on it."""
    modules = [importlib.import_module(f"safety.{path.stem}") for path in MODULES if path.stem != "__init__"]
    values = {value for module in modules for value in vars(module).values() if is_dataclass(value)}
    values = {value for value in values if isinstance(value, type)}

    assert len(values) > 15
    assert [value for value in values if not value.__dataclass_params__.frozen] == []
    assert [value for value in values if "__slots__" not in vars(value)] == []
