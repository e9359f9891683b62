"""The safety code, read as text: whole numbers only, no clock, no I/O, nothing that may not end."""

import ast
import importlib
from dataclasses import is_dataclass
from pathlib import Path

import pytest

SAFETY = Path(__file__).parents[2] / "safety"
MODULES = sorted(SAFETY.glob("*.py"))
MAY_IMPORT = {"dataclasses", "enum", "typing", "safety"}
IMPURE = {
    "open", "print", "input", "exec", "eval", "compile", "__import__", "globals", "setattr", "float", "complex",
    "round", "hash", "now", "time", "clock", "random", "monotonic", "sleep", "environ", "getenv", "today",
}  # fmt: skip


def trees() -> list:
    return [pytest.param(ast.parse(path.read_text(encoding="utf-8")), id=path.name) for path in MODULES]


def imported(tree: ast.AST) -> set[str]:
    direct = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return direct | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def names(tree: ast.AST) -> set[str]:
    plain = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return plain | {attribute for attribute in attributes if not attribute.startswith("__")}


def calls_of(function: ast.FunctionDef) -> set[str]:
    return {
        node.func.id for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def test_all_of_it_is_looked_at() -> None:
    assert {"limiter.py", "plausibility.py", "interlock.py", "limits.py", "alarms.py"} <= {
        path.name for path in MODULES
    }


@pytest.mark.parametrize("tree", trees())
def test_it_imports_only_the_language_and_itself(tree) -> None:
    assert {module.split(".")[0] for module in imported(tree)} <= MAY_IMPORT


@pytest.mark.parametrize("tree", trees())
def test_there_is_no_float(tree) -> None:
    literals = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    operators = [node.op for node in ast.walk(tree) if isinstance(node, ast.BinOp | ast.AugAssign)]

    assert [value for value in literals if isinstance(value, float | complex)] == []
    assert [operator for operator in operators if isinstance(operator, ast.Div | ast.Pow)] == []


@pytest.mark.parametrize("tree", trees())
def test_it_knows_no_clock_no_chance_and_no_io(tree) -> None:
    assert names(tree) & IMPURE == set()


@pytest.mark.parametrize("tree", trees())
def test_every_loop_ends_and_nothing_keeps_state_between_calls(tree) -> None:
    endless = ast.While | ast.Global | ast.Nonlocal | ast.AsyncFunctionDef | ast.Await | ast.Yield | ast.Try

    assert [node.lineno for node in ast.walk(tree) if isinstance(node, endless)] == []


def test_no_function_calls_itself_by_any_way_round() -> None:
    calls: dict[str, set[str]] = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                calls.setdefault(node.name, set()).update(calls_of(node))

    def reached_from(name: str) -> set[str]:
        reached: set[str] = set()
        ahead = list(calls[name])
        while ahead:
            called = ahead.pop()
            if called in calls and called not in reached:
                reached.add(called)
                ahead += calls[called]
        return reached

    assert len(calls) > 40
    assert [name for name in calls if name in reached_from(name)] == []


def test_only_a_permit_that_is_misused_raises() -> None:
    raising = {
        (path.name, node.exc.func.id)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise)
    }

    assert raising == {("limiter.py", "TypeError"), ("limiter.py", "AttributeError")}


def test_no_value_can_be_changed_once_it_was_judged() -> None:
    """Frozen, so that nobody sets a field; slotted, so that nobody hangs another one on it."""
    modules = [importlib.import_module(f"safety.{path.stem}") for path in MODULES if path.stem != "__init__"]
    values = {value for module in modules for value in vars(module).values() if is_dataclass(value)}
    values = {value for value in values if isinstance(value, type)}

    assert len(values) > 15
    assert [value for value in values if not value.__dataclass_params__.frozen] == []
    assert [value for value in values if "__slots__" not in vars(value)] == []
